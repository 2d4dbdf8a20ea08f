# SPDX-License-Identifier: Apache-2.0
"""Cases of test_api_cases in which nbaspark is known not to answer as Apache Spark, and why.

They must fail: whoever closes a gap takes its row out.
"""

MORE_CHARSETS = "on purpose: nbaspark reads more charsets than Spark, by more of their names"

KNOWN_GAPS: dict[str, dict[str, str]] = {
    "csv_options": {
        "found_types: samplingRatio='0.5'": "other lines than Spark's are sampled",
        "charsets: encoding='latin1'": MORE_CHARSETS,
        "charsets: encoding='windows-1252'": MORE_CHARSETS,
        "charsets: charset='latin1'": MORE_CHARSETS,
        "charsets: charset='windows-1252'": MORE_CHARSETS,
        "write: encoding='latin1'": MORE_CHARSETS,
    },
    "time_windows": {
        "SELECT v FROM TIMES WHERE window(ts, '10 minutes').start "
        "> timestamp'2024-01-01 00:05:00'": "windows of time in WHERE",
    },
}
