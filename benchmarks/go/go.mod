module berth.test/benchgo

go 1.24

require (
	berth.dev/go/berth v0.0.0
	github.com/opencontainers/runtime-spec v1.3.0
)

replace berth.dev/go/berth => ../../bindings/go
