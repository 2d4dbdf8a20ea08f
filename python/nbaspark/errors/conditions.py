# SPDX-License-Identifier: Apache-2.0
"""Error conditions that the Python side raises itself: name -> message template.

Names, parameters and wording are those of Spark 4.2, because programs match on them. Conditions
of the engine are rows of csrc/base/error_conditions.def instead.
"""

from __future__ import annotations

CONDITIONS = {
    "ARGUMENT_REQUIRED": "Argument `<arg_name>` is required when <condition>.",
    "ATTRIBUTE_NOT_SUPPORTED": "Attribute `<attr_name>` is not supported.",
    "AXIS_LENGTH_MISMATCH": (
        "Length mismatch: Expected axis has <expected_length> elements, new values have "
        "<actual_length> elements."
    ),
    "CANNOT_APPLY_IN_FOR_COLUMN": (
        "Cannot apply 'in' operator against a column: please use 'contains' in a string column "
        "or 'array_contains' function for an array column."
    ),
    "CANNOT_BE_EMPTY": "At least one <item> must be specified.",
    "CANNOT_BE_NONE": "Argument `<arg_name>` cannot be None.",
    "CANNOT_CONVERT_COLUMN_INTO_BOOL": (
        "Cannot convert column into bool: please use '&' for 'and', '|' for 'or', '~' for "
        "'not' when building DataFrame boolean expressions."
    ),
    "CANNOT_CONVERT_TYPE": "Cannot convert <from_type> into <to_type>.",
    "CANNOT_DETERMINE_TYPE": "Some of types cannot be determined after inferring.",
    "CANNOT_INFER_ARRAY_ELEMENT_TYPE": (
        "Can not infer the element data type, a non-empty list starting with a non-None value "
        "is required."
    ),
    "CANNOT_INFER_EMPTY_SCHEMA": "Can not infer schema from an empty dataset.",
    "CANNOT_INFER_SCHEMA_FOR_TYPE": "Can not infer schema for type: `<data_type>`.",
    "CANNOT_INFER_TYPE_FOR_FIELD": "Unable to infer the type of the field `<field_name>`.",
    "CANNOT_MERGE_TYPE": "Can not merge type `<data_type1>` and `<data_type2>`.",
    "CANNOT_PARSE_DATATYPE": "Unable to parse datatype. <msg>.",
    "CANNOT_SET_TOGETHER": "<arg_list> should not be set together.",
    "CANNOT_SPECIFY_RETURN_TYPE_FOR_UDF": (
        "returnType can not be specified when `<arg_name>` is a user-defined function, but got <return_type>."
    ),
    "COLUMN_IN_LIST": "`<func_name>` does not allow a Column in a list.",
    "DISALLOWED_TYPE_FOR_CONTAINER": (
        "Argument `<arg_name>`(type: <arg_type>) should only contain a type in "
        "[<allowed_types>], got <item_type>"
    ),
    "DUPLICATED_ARTIFACT": (
        "Duplicate Artifact: <normalized_path>. Artifacts cannot be overwritten."
    ),
    "DUPLICATED_FIELD_NAME_IN_ARROW_STRUCT": (
        "Duplicated field names in Arrow Struct are not allowed, got <field_names>"
    ),
    "FIELD_DATA_TYPE_UNACCEPTABLE": "<data_type> can not accept object <obj> in type <obj_type>.",
    "FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME": (
        "<field_name>: <data_type> can not accept object <obj> in type <obj_type>."
    ),
    "FIELD_NOT_NULLABLE": "Field is not nullable, but got None.",
    "FIELD_NOT_NULLABLE_WITH_NAME": "<field_name>: This field is not nullable, but got None.",
    "FIELD_STRUCT_LENGTH_MISMATCH": (
        "Length of object (<object_length>) does not match with length of fields (<field_length>)."
    ),
    "FIELD_STRUCT_LENGTH_MISMATCH_WITH_NAME": (
        "<field_name>: Length of object (<object_length>) does not match with length of fields "
        "(<field_length>)."
    ),
    "FIELD_TYPE_MISMATCH": "<obj> is not an instance of type <data_type>.",
    "FIELD_TYPE_MISMATCH_WITH_NAME": "<field_name>: <obj> is not an instance of type <data_type>.",
    "HIGHER_ORDER_FUNCTION_SHOULD_RETURN_COLUMN": (
        "Function `<func_name>` should return Column, got <return_type>."
    ),
    "INDEX_NOT_POSITIVE": "Index must be positive, got '<index>'.",
    "INDEX_OUT_OF_RANGE": "<arg_name> index out of range, got '<index>'.",
    "INPUT_NOT_FULLY_CONSUMED": "The input iterator must be fully consumed.",
    "INVALID_CONNECT_URL": "Invalid URL for Spark Connect: <detail>",
    "INVALID_INTERVAL_CASTING": "Interval <start_field> to <end_field> is invalid.",
    "INVALID_ITEM_FOR_CONTAINER": (
        "All items in `<arg_name>` should be in <allowed_types>, got <item_type>."
    ),
    "INVALID_MULTIPLE_ARGUMENT_CONDITIONS": "[<arg_names>] cannot be <condition>.",
    "INVALID_NDARRAY_DIMENSION": "NumPy array input should be of <dimensions> dimensions.",
    "INVALID_PANDAS_UDF": "Invalid function: <detail>",
    "INVALID_PANDAS_UDF_TYPE": (
        "`<arg_name>` should be one of the values from PandasUDFType, got <arg_type>"
    ),
    "INVALID_RETURN_TYPE_FOR_PANDAS_UDF": (
        "Pandas UDF should return StructType for <eval_type>, got <return_type>."
    ),
    "INVALID_SESSION_UUID_ID": "Parameter value <arg_name> must be a valid UUID format: <origin>",
    "INVALID_TYPE": "Argument `<arg_name>` should not be a <arg_type>.",
    "INVALID_TYPENAME_CALL": (
        "StructField does not have typeName. Use typeName on its type explicitly instead."
    ),
    "INVALID_WHEN_USAGE": (
        "when() can only be applied on a Column previously generated by when() function, and "
        "cannot be applied once otherwise() is applied."
    ),
    "JVM_ATTRIBUTE_NOT_SUPPORTED": (
        "Attribute `<attr_name>` is not supported in Spark Connect as it depends on the JVM. "
        "If you need to use this attribute, do not use Spark Connect when creating your "
        "session. Visit "
        "https://spark.apache.org/docs/latest/sql-getting-started.html#starting-point-sparksession "
        "for creating regular Spark Session in detail."
    ),
    "KEY_NOT_EXISTS": "Key `<key>` does not exist.",
    "LOCAL_RELATION_SIZE_LIMIT_EXCEEDED": (
        "Local relation size (<actualSize> bytes) exceeds the limit (<sizeLimit> bytes)."
    ),
    "LENGTH_SHOULD_BE_THE_SAME": (
        "<arg1> and <arg2> should be of the same length, got <arg1_length> and <arg2_length>."
    ),
    "MIXED_TYPE_REPLACEMENT": "Mixed type replacements are not supported.",
    "NEAREST_BY_JOIN.NUM_RESULTS_OUT_OF_RANGE": (
        "Invalid nearest-by join. The number of results <numResults> must be between <min> and "
        "<max>. Update the literal in `APPROX NEAREST <numResults> BY ...` (or `EXACT NEAREST "
        "<numResults> BY ...`) to fall within that range."
    ),
    "NEAREST_BY_JOIN.UNSUPPORTED_DIRECTION": (
        "Invalid nearest-by join. Unsupported nearest-by join direction '<direction>'. "
        "Supported nearest-by join directions include: <supported>."
    ),
    "NEAREST_BY_JOIN.UNSUPPORTED_JOIN_TYPE": (
        "Invalid nearest-by join. Unsupported nearest-by join type <joinType>. Supported "
        "types: <supported>."
    ),
    "NEAREST_BY_JOIN.UNSUPPORTED_MODE": (
        "Invalid nearest-by join. Unsupported nearest-by join mode '<mode>'. Supported modes "
        "include: <supported>."
    ),
    "NEGATIVE_VALUE": (
        "Value for `<arg_name>` must be greater than or equal to 0, got '<arg_value>'."
    ),
    "NOT_EXPECTED_TYPE": "Argument `<arg_name>` should be <expected_type>, got <arg_type>.",
    "NOT_IMPLEMENTED": "<feature> is not implemented.",
    "NOT_ITERABLE": "<objectName> is not iterable.",
    "NOT_NUMERIC_COLUMNS": (
        "Numeric aggregation function can only be applied on numeric columns, got "
        "<invalid_columns>."
    ),
    "NOT_SAME_TYPE": (
        "Argument `<arg_name1>` and `<arg_name2>` should be the same type, got <arg_type1> and "
        "<arg_type2>."
    ),
    "NO_ACTIVE_OR_DEFAULT_SESSION": (
        "No active or default Spark session found. Please create a new Spark session before "
        "running the code."
    ),
    "NO_ACTIVE_SESSION": (
        "No active Spark session found. Please create a new Spark session before running the code."
    ),
    "NO_OBSERVE_BEFORE_GET": "Should observe by calling `DataFrame.observe` before `get`.",
    "ONLY_ALLOWED_FOR_SINGLE_COLUMN": (
        "Argument `<arg_name>` can only be provided for a single column."
    ),
    "OUTPUT_EXCEEDS_INPUT_ROWS": (
        "The number of output rows must not exceed the number of input rows."
    ),
    "READ_ONLY": "<object> is read-only.",
    "RESPONSE_ALREADY_RECEIVED": (
        "<error_type> on the server but responses were already received from it."
    ),
    "RESULT_COLUMN_NAMES_MISMATCH": (
        "Column names of the returned data do not match specified schema.<missing><extra>"
    ),
    "RESULT_COLUMN_SCHEMA_MISMATCH": (
        "Number of columns of the returned data doesn't match specified schema. Expected: <expected> Actual: <actual>"
    ),
    "RESULT_COLUMN_TYPES_MISMATCH": (
        "Column types of the returned data do not match specified schema. Mismatch: <mismatch>."
    ),
    "RESULT_ROWS_MISMATCH": (
        "The number of output rows (<output_length>) must match the number of input rows (<input_length>)."
    ),
    "REUSE_OBSERVATION": "An Observation can be used with a DataFrame only once.",
    "SCHEMA_MISMATCH_FOR_PANDAS_UDF": (
        "Result vector from <udf_type> was not the required length: expected <expected>, got <actual>."
    ),
    "SESSION_NOT_SAME": "Both Datasets must belong to the same SparkSession.",
    "SLICE_WITH_STEP": "Slice with step is not supported.",
    "TOO_MANY_VALUES": "Expected <expected> values for `<item>`, got <actual>.",
    "TYPE_HINT_SHOULD_BE_SPECIFIED": (
        "Type hints for <target> should be specified; however, got <sig>."
    ),
    "UDF_RETURN_TYPE": (
        "Return type of the user-defined function should be <expected>, but is <actual>."
    ),
    "UNEXPECTED_TUPLE_WITH_STRUCT": "Unexpected tuple <tuple> with StructType.",
    "UNKNOWN_EXPLAIN_MODE": (
        "Unknown explain mode: '<explain_mode>'. Accepted explain modes are 'simple', "
        "'extended', 'codegen', 'cost', 'formatted'."
    ),
    "UNSUPPORTED_DATA_TYPE": "Unsupported DataType `<data_type>`.",
    "UNSUPPORTED_DATA_TYPE_FOR_ARROW": "Single data type <data_type> is not supported with Arrow.",
    "UNSUPPORTED_DATA_TYPE_FOR_ARROW_CONVERSION": (
        "<data_type> is not supported in conversion to Arrow."
    ),
    "UNSUPPORTED_JOIN_TYPE": (
        "Unsupported join type: '<typ>'. Supported join types include: <supported>."
    ),
    "UNSUPPORTED_NUMPY_ARRAY_SCALAR": "The type of array scalar '<dtype>' is not supported.",
    "UNSUPPORTED_OPERATION": "<operation> is not supported.",
    "UNSUPPORTED_PARAM_TYPE_FOR_HIGHER_ORDER_FUNCTION": (
        "Function `<func_name>` should use only POSITIONAL or POSITIONAL OR KEYWORD arguments."
    ),
    "UNSUPPORTED_SIGNATURE": "Unsupported signature: <signature>.",
    "VALUE_ALLOWED": "Value for `<arg_name>` does not allow <disallowed_value>.",
    "VALUE_NOT_ALLOWED": (
        "Value for `<arg_name>` has to be amongst the following values: <allowed_values>."
    ),
    "VALUE_NOT_BETWEEN": "Value for `<arg_name>` must be between <min> and <max>.",
    "VALUE_NOT_NON_EMPTY_STR": (
        "Value for `<arg_name>` must be a non-empty string, got '<arg_value>'."
    ),
    "VALUE_NOT_PEARSON": "Value for `<arg_name>` only supports 'pearson', got '<arg_value>'.",
    "VALUE_NOT_PLAIN_COLUMN_REFERENCE": (
        "Value `<val>` in `<field_name>` should be a plain column reference such as `df.col` "
        "or `col('column')`."
    ),
    "VALUE_NOT_POSITIVE": "Value for `<arg_name>` must be positive, got '<arg_value>'.",
    "VALUE_OUT_OF_BOUNDS": (
        "Value for `<arg_name>` must be between <lower_bound> and <upper_bound> (inclusive), "
        "got <actual>"
    ),
    "WRONG_NUM_ARGS_FOR_HIGHER_ORDER_FUNCTION": (
        "Function `<func_name>` should take between 1 and 3 arguments, but the provided "
        "function takes <num_args>."
    ),
    "WRONG_NUM_COLUMNS": "Function `<func_name>` should take at least <num_cols> columns.",
    "ZERO_INDEX": "Index must be non-zero.",
}

# SQLSTATE -> the conditions above that have one
SQLSTATES = {
    "08003": """
        NO_ACTIVE_OR_DEFAULT_SESSION NO_ACTIVE_SESSION
    """,
    "0A000": """
        ATTRIBUTE_NOT_SUPPORTED JVM_ATTRIBUTE_NOT_SUPPORTED NOT_IMPLEMENTED
    """,
    "42K09": """
        CANNOT_INFER_EMPTY_SCHEMA CANNOT_INFER_SCHEMA_FOR_TYPE CANNOT_INFER_TYPE_FOR_FIELD
        CANNOT_MERGE_TYPE NOT_EXPECTED_TYPE NOT_ITERABLE NOT_NUMERIC_COLUMNS NOT_SAME_TYPE
    """,
    "54000": """
        LOCAL_RELATION_SIZE_LIMIT_EXCEEDED
    """,
}


def sqlstate_of(condition: str | None) -> str | None:
    """Return the SQLSTATE of a condition, or None."""
    for state, names in SQLSTATES.items():
        if condition in names.split():
            return state
    return None


def message_of(condition: str, parameters: dict[str, str]) -> str:
    """Return the message of a condition, its ``<parameters>`` replaced by their values."""
    template = CONDITIONS[condition]
    for name, value in parameters.items():
        template = template.replace(f"<{name}>", str(value))
    return template
