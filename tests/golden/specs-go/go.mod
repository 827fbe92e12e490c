module berth.test/specsgo

go 1.21

require github.com/opencontainers/runtime-spec v1.3.0
