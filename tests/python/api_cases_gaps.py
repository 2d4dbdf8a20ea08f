# SPDX-License-Identifier: Apache-2.0
"""Cases of test_api_cases in which nbaspark is known not to answer as Apache Spark, and why.

They must fail: whoever closes a gap takes its row out.
"""

KNOWN_GAPS: dict[str, dict[str, str]] = {}
