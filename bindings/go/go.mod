module berth.dev/go/berth

go 1.24

require github.com/opencontainers/runtime-spec v1.3.0
