// SPDX-License-Identifier: Apache-2.0

// schemagen writes berth's table of the fields that runtime-spec knows, from the Go structs that runsc decodes into.
//
//	go run ./schemagen > ../../../include/berth/impl/spec/schema_table.ipp
package main

import (
	"os"

	"berth.test/specsgo/schema"
)

func main() {
	os.Stdout.WriteString(schema.Table())
}
