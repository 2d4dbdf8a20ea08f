# SPDX-License-Identifier: Apache-2.0
"""Functions of columns, by the names that PySpark has for them.

A family is a module, loaded when one of its functions is first used, so that importing this
package costs nothing for the others.
"""

# module -> the functions in it
_FAMILIES = {
    "basic": """
        asc asc_nulls_first asc_nulls_last broadcast call_function call_udf coalesce col
        column desc desc_nulls_first desc_nulls_last equal_null expr ifnull ilike isnan
        isnotnull isnull like lit nanvl nullif nullifzero nvl nvl2 regexp regexp_like rlike
        when zeroifnull
    """,
    "math": """
        abs acos acosh asin asinh atan atan2 atanh bin bit_count bit_get bitwise_not
        bitwiseNOT bround cbrt ceil ceiling conv cos cosh cot csc degrees e exp expm1
        factorial floor getbit greatest hex hypot least ln log log10 log1p log2 negate
        negative pi pmod positive pow power radians rand randn random rint round sec shiftLeft
        shiftleft shiftRight shiftright shiftRightUnsigned shiftrightunsigned sign signum sin
        sinh sqrt tan tanh toDegrees toRadians try_add try_divide try_mod try_multiply
        try_subtract unhex uniform width_bucket
    """,
    "string": """
        ascii base64 bit_length btrim char char_length character_length chr collate collation
        concat_ws contains decode elt encode endswith find_in_set format_number format_string
        initcap instr is_valid_utf8 lcase left length levenshtein locate lower lpad ltrim
        make_valid_utf8 mask octet_length overlay position printf quote randstr regexp_count
        regexp_extract regexp_extract_all regexp_instr regexp_replace regexp_substr repeat
        replace right rpad rtrim sentences soundex split split_part startswith substr
        substring substring_index to_binary to_char to_number to_varchar translate trim
        try_to_binary try_to_number try_validate_utf8 ucase unbase64 upper validate_utf8
    """,
    "datetime": """
        add_months convert_timezone curdate current_date current_time current_timestamp
        current_timezone date_add date_diff date_format date_from_unix_date date_part date_sub
        date_trunc dateadd datediff datepart day dayname dayofmonth dayofweek dayofyear
        extract from_unixtime from_utc_timestamp hour last_day localtimestamp make_date
        make_dt_interval make_interval make_time make_timestamp make_timestamp_ltz
        make_timestamp_ntz make_ym_interval minute month monthname months_between next_day now
        quarter second session_window time_bucket time_diff time_from_micros time_from_millis
        time_from_seconds time_to_micros time_to_millis time_to_seconds time_trunc
        timestamp_add timestamp_diff timestamp_micros timestamp_millis timestamp_seconds
        to_date to_time to_timestamp to_timestamp_ltz to_timestamp_ntz to_unix_timestamp
        to_utc_timestamp trunc try_make_interval try_make_timestamp try_make_timestamp_ltz
        try_make_timestamp_ntz try_to_date try_to_time try_to_timestamp unix_date unix_micros
        unix_millis unix_seconds unix_timestamp weekday weekofyear window window_time year
    """,
    "collection": """
        aggregate array array_append array_compact array_contains array_distinct array_except
        array_insert array_intersect array_join array_max array_min array_position
        array_prepend array_remove array_repeat array_size array_sort array_union
        arrays_overlap arrays_zip cardinality concat create_map element_at exists filter
        flatten forall get map_concat map_contains_key map_entries map_filter map_from_arrays
        map_from_entries map_keys map_values map_zip_with named_struct reduce reverse sequence
        shuffle size slice sort_array str_to_map struct transform transform_keys
        transform_values try_element_at zip_with
    """,
    "aggregates": """
        any_value approx_count_distinct approx_percentile approxCountDistinct array_agg avg
        bit_and bit_or bit_xor bitmap_and_agg bitmap_construct_agg bitmap_or_agg bool_and
        bool_or collect_list collect_set corr count count_distinct count_if count_min_sketch
        countDistinct covar_pop covar_samp every first first_value grouping grouping_id
        histogram_numeric hll_sketch_agg hll_union_agg kll_merge_agg_bigint
        kll_merge_agg_double kll_merge_agg_float kll_sketch_agg_bigint kll_sketch_agg_double
        kll_sketch_agg_float kurtosis last last_value listagg listagg_distinct max max_by mean
        median min min_by mode percentile percentile_approx product regr_avgx regr_avgy
        regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy skewness some
        std stddev stddev_pop stddev_samp string_agg string_agg_distinct sum sum_distinct
        sumDistinct theta_intersection_agg theta_sketch_agg theta_union_agg try_avg try_sum
        tuple_intersection_agg_double tuple_intersection_agg_integer tuple_sketch_agg_double
        tuple_sketch_agg_integer tuple_union_agg_double tuple_union_agg_integer var_pop
        var_samp variance
    """,
    "windowing": """
        cume_dist dense_rank explode explode_outer inline inline_outer lag lead nth_value
        ntile percent_rank posexplode posexplode_outer rank row_number stack
    """,
    "formats": """
        from_csv from_json from_xml get_json_object is_valid_variant is_variant_null
        json_array_length json_object_keys json_tuple parse_json parse_url schema_of_csv
        schema_of_json schema_of_variant schema_of_variant_agg schema_of_xml to_csv to_json
        to_variant_object to_xml try_parse_json try_parse_url try_url_decode try_variant_get
        url_decode url_encode variant_get xpath xpath_boolean xpath_double xpath_float
        xpath_int xpath_long xpath_number xpath_short xpath_string
    """,
    "misc": """
        aes_decrypt aes_encrypt assert_true bitmap_bit_position bitmap_bucket_number
        bitmap_count bucket crc32 current_catalog current_database current_path current_schema
        current_user days hash hours input_file_block_length input_file_block_start
        input_file_name java_method md5 monotonically_increasing_id months raise_error reflect
        session_user sha sha1 sha2 spark_partition_id try_aes_decrypt try_reflect typeof
        unwrap_udt user uuid version xxhash64 years
    """,
    "sketches": """
        hll_sketch_estimate hll_union kll_sketch_get_n_bigint kll_sketch_get_n_double
        kll_sketch_get_n_float kll_sketch_get_quantile_bigint kll_sketch_get_quantile_double
        kll_sketch_get_quantile_float kll_sketch_get_rank_bigint kll_sketch_get_rank_double
        kll_sketch_get_rank_float kll_sketch_merge_bigint kll_sketch_merge_double
        kll_sketch_merge_float kll_sketch_to_string_bigint kll_sketch_to_string_double
        kll_sketch_to_string_float st_asbinary st_geogfromwkb st_geomfromwkb st_setsrid
        st_srid theta_difference theta_intersection theta_sketch_estimate theta_union
        tuple_difference_double tuple_difference_integer tuple_difference_theta_double
        tuple_difference_theta_integer tuple_intersection_double tuple_intersection_integer
        tuple_intersection_theta_double tuple_intersection_theta_integer
        tuple_sketch_estimate_double tuple_sketch_estimate_integer tuple_sketch_summary_double
        tuple_sketch_summary_integer tuple_sketch_theta_double tuple_sketch_theta_integer
        tuple_union_double tuple_union_integer tuple_union_theta_double
        tuple_union_theta_integer
    """,
    "python_udf": "ArrowUDFType PandasUDFType arrow_udf arrow_udtf pandas_udf udf udtf",
}

_HOME = {name: family for family, names in _FAMILIES.items() for name in names.split()}

# Left out of ``import *`` because they would hide names that programs use themselves.
_HIDDEN = {"random", "chr", "uuid"}

__all__ = sorted(set(_HOME) - _HIDDEN)  # noqa: PLE0605


def __getattr__(name: str):
    family = _HOME.get(name)
    if family is None:
        raise AttributeError(f"module 'nbaspark.sql.functions' has no attribute {name!r}")
    from importlib import import_module

    if name in ("col", "column", "lit"):
        family = "base"
    value = globals()[name] = getattr(import_module(f"nbaspark.sql.functions.{family}"), name)
    return value


def __dir__():
    return sorted(set(globals()) | set(_HOME))
