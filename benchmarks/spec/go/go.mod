module berth.test/benchspec

go 1.21

require (
	github.com/goccy/go-json v0.10.5
	github.com/opencontainers/runtime-spec v1.3.0
)
