"""Sums of volumes: the float of the exact decimal sum, in whatever pieces they come."""

import math

import numpy as np

LARGEST = 2.0**53  # floats below are whole numbers exactly, and so are their sums
CERTAIN = (
    2.0**51
)  # below, scaling and rounding finds the whole number that was meant, never its neighbour
DECIMALS = (8, 4, 0)  # fewer for volumes too large to be whole with eight


def sum_runs(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sum of each run ``values[starts[k]:starts[k + 1]]``; nothing may be negative.

    Where all of a run have at most eight decimals, as venues' volumes have, the sum is taken in whole
    hundred-millionths and is the float nearest to the decimal sum; otherwise nearest to the sum of the
    floats as they are. Adding floats one by one would differ in the last digit, and by the order.
    """
    values = np.ascontiguousarray(values)
    sums, done = np.empty(len(starts)), np.zeros(len(starts), bool)
    for decimals in DECIMALS:
        if done.all():
            return sums
        scaled = np.rint(values * 10.0**decimals)
        whole = (scaled < CERTAIN) & (scaled / 10.0**decimals == values)
        totals = np.add.reduceat(np.where(whole, scaled, 0.0), starts)
        fits = ~done & np.logical_and.reduceat(whole, starts) & (totals < LARGEST)
        sums[fits], done = totals[fits] / 10.0**decimals, done | fits
    ends = np.r_[starts[1:], len(values)]
    for run in np.flatnonzero(~done):
        sums[run] = math.fsum(values[starts[run] : ends[run]].tolist())
    return sums
