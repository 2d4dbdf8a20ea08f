# SPDX-License-Identifier: Apache-2.0
"""Numbers, and their bits. Each function builds a call that the engine resolves by name."""

from __future__ import annotations

from nbaspark.errors.raising import value_error
from nbaspark.sql.functions.base import deprecated, invoke, lit, numbers, operands, seed_column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nbaspark.sql.column import Column
    from nbaspark.sql.functions.base import ColumnOrName


def abs(col: ColumnOrName) -> Column:
    """Return the absolute value."""
    return invoke("abs", col)


def acos(col: ColumnOrName) -> Column:
    """Return the arc cosine, in radians."""
    return invoke("acos", col)


def acosh(col: ColumnOrName) -> Column:
    """Return the inverse hyperbolic cosine."""
    return invoke("acosh", col)


def asin(col: ColumnOrName) -> Column:
    """Return the arc sine, in radians."""
    return invoke("asin", col)


def asinh(col: ColumnOrName) -> Column:
    """Return the inverse hyperbolic sine."""
    return invoke("asinh", col)


def atan(col: ColumnOrName) -> Column:
    """Return the arc tangent, in radians."""
    return invoke("atan", col)


def atan2(col1: ColumnOrName | float, col2: ColumnOrName | float) -> Column:
    """Return the angle, in radians, of the point whose y is `col1` and whose x is `col2`."""
    return invoke("atan2", *operands(col1, col2))


def atanh(col: ColumnOrName) -> Column:
    """Return the inverse hyperbolic tangent."""
    return invoke("atanh", col)


def bin(col: ColumnOrName) -> Column:
    """Return a whole number in binary digits."""
    return invoke("bin", col)


def bit_count(col: ColumnOrName) -> Column:
    """Return how many bits are set."""
    return invoke("bit_count", col)


def bit_get(col: ColumnOrName, pos: ColumnOrName) -> Column:
    """Return the bit at a position, counted from the lowest."""
    return invoke("bit_get", col, pos)


def bitwise_not(col: ColumnOrName) -> Column:
    """Return the number with every bit flipped."""
    return invoke("~", col)


def bitwiseNOT(col: ColumnOrName) -> Column:
    """Return the number with every bit flipped; the old name of `bitwise_not`."""
    deprecated("3.4", "bitwise_not")
    return bitwise_not(col)


def bround(col: ColumnOrName, scale: Column | int | None = None) -> Column:
    """Round to `scale` digits, halves to the even neighbour."""
    return invoke("bround", col, *numbers(scale))


def cbrt(col: ColumnOrName) -> Column:
    """Return the cube root."""
    return invoke("cbrt", col)


def ceil(col: ColumnOrName, scale: Column | int | None = None) -> Column:
    """Round up to a whole number, or to `scale` digits."""
    return invoke("ceil", col, *numbers(scale))


def ceiling(col: ColumnOrName, scale: Column | int | None = None) -> Column:
    """Round up to a whole number, or to `scale` digits."""
    return invoke("ceiling", col, *numbers(scale))


def conv(col: ColumnOrName, fromBase: int, toBase: int) -> Column:
    """Convert the digits of a number from one base to another."""
    return invoke("conv", col, lit(fromBase), lit(toBase))


def cos(col: ColumnOrName) -> Column:
    """Return the cosine of an angle in radians."""
    return invoke("cos", col)


def cosh(col: ColumnOrName) -> Column:
    """Return the hyperbolic cosine."""
    return invoke("cosh", col)


def cot(col: ColumnOrName) -> Column:
    """Return the cotangent of an angle in radians."""
    return invoke("cot", col)


def csc(col: ColumnOrName) -> Column:
    """Return the cosecant of an angle in radians."""
    return invoke("csc", col)


def degrees(col: ColumnOrName) -> Column:
    """Convert an angle from radians to degrees."""
    return invoke("degrees", col)


def e() -> Column:
    """Return Euler's number."""
    return invoke("e")


def exp(col: ColumnOrName) -> Column:
    """Return e raised to a power."""
    return invoke("exp", col)


def expm1(col: ColumnOrName) -> Column:
    """Return e raised to a power, minus one, exact for small numbers."""
    return invoke("expm1", col)


def factorial(col: ColumnOrName) -> Column:
    """Return the factorial of a number from 0 to 20; null for others."""
    return invoke("factorial", col)


def floor(col: ColumnOrName, scale: Column | int | None = None) -> Column:
    """Round down to a whole number, or to `scale` digits."""
    return invoke("floor", col, *numbers(scale))


def getbit(col: ColumnOrName, pos: ColumnOrName) -> Column:
    """Return the bit at a position, counted from the lowest."""
    return invoke("getbit", col, pos)


def greatest(*cols: ColumnOrName) -> Column:
    """Return the greatest of several columns, nulls left out."""
    if len(cols) < 2:
        raise value_error("WRONG_NUM_COLUMNS", func_name="greatest", num_cols=2)
    return invoke("greatest", *cols)


def hex(col: ColumnOrName) -> Column:
    """Return a number, text or bytes in hexadecimal digits."""
    return invoke("hex", col)


def hypot(col1: ColumnOrName | float, col2: ColumnOrName | float) -> Column:
    """Return the length of the hypotenuse over two sides."""
    return invoke("hypot", *operands(col1, col2))


def least(*cols: ColumnOrName) -> Column:
    """Return the least of several columns, nulls left out."""
    if len(cols) < 2:
        raise value_error("WRONG_NUM_COLUMNS", func_name="least", num_cols=2)
    return invoke("least", *cols)


def ln(col: ColumnOrName) -> Column:
    """Return the natural logarithm; null where there is none."""
    return invoke("ln", col)


def log(arg1: ColumnOrName | float, arg2: ColumnOrName | None = None) -> Column:
    """Return the natural logarithm, or with two arguments that of `arg2` to the base `arg1`."""
    if arg2 is None:
        return invoke("ln", arg1)
    return invoke("log", lit(arg1), arg2)


def log10(col: ColumnOrName) -> Column:
    """Return the logarithm to the base 10."""
    return invoke("log10", col)


def log1p(col: ColumnOrName) -> Column:
    """Return the natural logarithm of one plus the value, exact for small numbers."""
    return invoke("log1p", col)


def log2(col: ColumnOrName) -> Column:
    """Return the logarithm to the base 2."""
    return invoke("log2", col)


def negative(col: ColumnOrName) -> Column:
    """Return the number with its sign changed."""
    return invoke("negative", col)


def pi() -> Column:
    """Return the number pi."""
    return invoke("pi")


def pmod(dividend: ColumnOrName | float, divisor: ColumnOrName | float) -> Column:
    """Return the remainder of a division, never negative for a positive divisor."""
    return invoke("pmod", *operands(dividend, divisor))


def positive(col: ColumnOrName) -> Column:
    """Return the value itself."""
    return invoke("positive", col)


def pow(col1: ColumnOrName | float, col2: ColumnOrName | float) -> Column:
    """Return `col1` raised to the power `col2`."""
    return invoke("power", *operands(col1, col2))


def radians(col: ColumnOrName) -> Column:
    """Convert an angle from degrees to radians."""
    return invoke("radians", col)


def rand(seed: int | None = None) -> Column:
    """Return random numbers, evenly spread over 0 (included) to 1 (excluded)."""
    return invoke("rand", seed_column(seed))


def randn(seed: int | None = None) -> Column:
    """Return random numbers of the standard normal distribution."""
    return invoke("randn", seed_column(seed))


def rint(col: ColumnOrName) -> Column:
    """Round to the nearest whole number, as a floating-point number, halves to even."""
    return invoke("rint", col)


def round(col: ColumnOrName, scale: Column | int | None = None) -> Column:
    """Round to `scale` digits, halves away from zero."""
    return invoke("round", col, *numbers(scale))


def sec(col: ColumnOrName) -> Column:
    """Return the secant of an angle in radians."""
    return invoke("sec", col)


def shiftLeft(col: ColumnOrName, numBits: int) -> Column:
    """Shift bits to the left; the old name of `shiftleft`."""
    deprecated("3.4", "shiftleft")
    return shiftleft(col, numBits)


def shiftleft(col: ColumnOrName, numBits: int) -> Column:
    """Shift bits to the left."""
    return invoke("shiftleft", col, lit(numBits))


def shiftRight(col: ColumnOrName, numBits: int) -> Column:
    """Shift bits to the right, keeping the sign; the old name of `shiftright`."""
    deprecated("3.4", "shiftright")
    return shiftright(col, numBits)


def shiftright(col: ColumnOrName, numBits: int) -> Column:
    """Shift bits to the right, keeping the sign."""
    return invoke("shiftright", col, lit(numBits))


def shiftRightUnsigned(col: ColumnOrName, numBits: int) -> Column:
    """Shift bits to the right, filling with zeros; the old name of `shiftrightunsigned`."""
    deprecated("3.4", "shiftrightunsigned")
    return shiftrightunsigned(col, numBits)


def shiftrightunsigned(col: ColumnOrName, numBits: int) -> Column:
    """Shift bits to the right, filling with zeros."""
    return invoke("shiftrightunsigned", col, lit(numBits))


def sign(col: ColumnOrName) -> Column:
    """Return the sign as -1, 0 or 1."""
    return invoke("sign", col)


def signum(col: ColumnOrName) -> Column:
    """Return the sign as -1, 0 or 1."""
    return invoke("signum", col)


def sin(col: ColumnOrName) -> Column:
    """Return the sine of an angle in radians."""
    return invoke("sin", col)


def sinh(col: ColumnOrName) -> Column:
    """Return the hyperbolic sine."""
    return invoke("sinh", col)


def sqrt(col: ColumnOrName) -> Column:
    """Return the square root; NaN for negative numbers."""
    return invoke("sqrt", col)


def tan(col: ColumnOrName) -> Column:
    """Return the tangent of an angle in radians."""
    return invoke("tan", col)


def tanh(col: ColumnOrName) -> Column:
    """Return the hyperbolic tangent."""
    return invoke("tanh", col)


def toDegrees(col: ColumnOrName) -> Column:
    """Convert an angle from radians to degrees; the old name of `degrees`."""
    deprecated("3.4", "degrees")
    return degrees(col)


def toRadians(col: ColumnOrName) -> Column:
    """Convert an angle from degrees to radians; the old name of `radians`."""
    deprecated("3.4", "radians")
    return radians(col)


def try_add(left: ColumnOrName, right: ColumnOrName) -> Column:
    """Return the sum, or null where it overflows."""
    return invoke("try_add", left, right)


def try_divide(left: ColumnOrName, right: ColumnOrName) -> Column:
    """Return the quotient, or null where the divisor is zero."""
    return invoke("try_divide", left, right)


def try_mod(left: ColumnOrName, right: ColumnOrName) -> Column:
    """Return the remainder, or null where the divisor is zero."""
    return invoke("try_mod", left, right)


def try_multiply(left: ColumnOrName, right: ColumnOrName) -> Column:
    """Return the product, or null where it overflows."""
    return invoke("try_multiply", left, right)


def try_subtract(left: ColumnOrName, right: ColumnOrName) -> Column:
    """Return the difference, or null where it overflows."""
    return invoke("try_subtract", left, right)


def unhex(col: ColumnOrName) -> Column:
    """Return the bytes that hexadecimal digits stand for."""
    return invoke("unhex", col)


def uniform(
    min: Column | int | float, max: Column | int | float, seed: Column | int | None = None
) -> Column:
    """Return random numbers, evenly spread between two bounds and of their type."""
    return invoke("uniform", lit(min), lit(max), seed_column(seed))


def width_bucket(
    v: ColumnOrName, min: ColumnOrName, max: ColumnOrName, numBucket: ColumnOrName | int
) -> Column:
    """Return which of `numBucket` equal parts of a range the value falls in."""
    return invoke("width_bucket", v, min, max, *numbers(numBucket))


random = rand


negate = negative


power = pow
