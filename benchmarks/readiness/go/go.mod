module berth/benchmarks/readiness

go 1.19
