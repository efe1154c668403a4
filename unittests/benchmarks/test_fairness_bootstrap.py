"""benchmarks/fairness_bootstrap.py on a small world."""


def test_medians_and_the_ratio_to_a_plain_loop(benchmarks, result_of):
    from fairness_bootstrap import middle

    result = result_of("fairness_bootstrap")
    loop, table = result["results"]["plain loop (extrapolated)"], result["results"]["table"]
    (spread,) = result["ratio_spread"].values()
    assert (
        loop["range"][0] / table["range"][1] <= spread["min"] <= spread["max"] <= loop["range"][1] / table["range"][0]
    )
    assert result["results"]["many subjects"]["subjects"] == 500
    found = middle([{"seconds": seconds, "subjects": 2} for seconds in (3.0, 1.0, 2.0)])
    assert found == {"seconds": 2.0, "subjects": 2, "range": [1.0, 3.0]}
