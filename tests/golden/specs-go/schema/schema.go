// SPDX-License-Identifier: Apache-2.0

// Package schema turns the runtime-spec structs into the C++ table that berth's scan works by.
package schema

import (
	"fmt"
	"reflect"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Retired lists fields that runtime-spec 1.2 has and 1.3 dropped. A runsc built with 1.2 still decodes them, so the scan
// knows them too.
var Retired = map[string][]string{"LinuxIntelRdt": {"enableCMT", "enableMBM"}}

// special names the strings that the scan checks by more than their type.
var special = map[string]string{
	"Process.cwd":       "cwd",
	"Mount.destination": "destination",
}

type generator struct {
	done map[string]bool
	out  strings.Builder
}

func (g *generator) struct_(t reflect.Type) string {
	name := "fields_" + t.Name()
	if g.done[name] {
		return name
	}
	g.done[name] = true
	var rows []string
	for _, f := range reflect.VisibleFields(t) {
		key := strings.Split(f.Tag.Get("json"), ",")[0]
		if key == "-" {
			continue
		}
		if f.Anonymous { // its own fields are visited by themselves
			continue
		}
		if key == "" {
			key = f.Name
		}
		rows = append(rows, fmt.Sprintf("    {%q, &%s},", key, g.node(f.Type, special[t.Name()+"."+key])))
	}
	for _, key := range Retired[t.Name()] {
		rows = append(rows, fmt.Sprintf("    {%q, &%s},", key, g.node(reflect.TypeOf(true), "")))
	}
	fmt.Fprintf(&g.out, "inline constexpr schema_field %s[] = {\n%s\n};\n", name, strings.Join(rows, "\n"))
	fmt.Fprintf(&g.out, "inline constexpr schema_node node_%s{schema_kind::object, %s, %d, nullptr};\n", t.Name(), name, len(rows))
	return name
}

func (g *generator) emit(name, kind, element string) string {
	if !g.done[name] {
		g.done[name] = true
		if element != "nullptr" {
			element = "&" + element
		}
		fmt.Fprintf(&g.out, "inline constexpr schema_node %s{schema_kind::%s, nullptr, 0, %s};\n", name, kind, element)
	}
	return name
}

func (g *generator) node(t reflect.Type, special string) string {
	switch t.Kind() {
	case reflect.Pointer:
		return g.node(t.Elem(), special)
	case reflect.String:
		if special != "" {
			return g.emit("node_"+special, special, "nullptr")
		}
		return g.emit("node_string", "string", "nullptr")
	case reflect.Bool:
		return g.emit("node_boolean", "boolean", "nullptr")
	case reflect.Int, reflect.Int64:
		return g.emit("node_i64", "i64", "nullptr")
	case reflect.Int32:
		return g.emit("node_i32", "i32", "nullptr")
	case reflect.Uint, reflect.Uint64:
		return g.emit("node_u64", "u64", "nullptr")
	case reflect.Uint32:
		return g.emit("node_u32", "u32", "nullptr")
	case reflect.Uint16:
		return g.emit("node_u16", "u16", "nullptr")
	case reflect.Interface:
		return g.emit("node_any", "any", "nullptr")
	case reflect.Struct:
		g.struct_(t)
		return "node_" + t.Name()
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			panic("a byte slice is a base64 string")
		}
		e := g.node(t.Elem(), special)
		return g.emit("array_of_"+strings.TrimPrefix(e, "node_"), "array", e)
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			panic("map key is not a string")
		}
		e := g.node(t.Elem(), special)
		return g.emit("map_of_"+strings.TrimPrefix(e, "node_"), "map", e)
	}
	panic("no schema for " + t.String())
}

// Table is the text of include/berth/impl/spec/schema_table.ipp.
func Table() string {
	g := &generator{done: map[string]bool{}}
	g.node(reflect.TypeOf(specs.Spec{}), "")
	return "// SPDX-License-Identifier: Apache-2.0\n// The fields of runtime-spec " + specs.Version + ", made by tests/golden/specs-go/schemagen: do not edit.\n" +
		"#pragma once\n\n#include <berth/spec/detail/schema.hpp>\n\nnamespace berth::detail {\n\n" + g.out.String() +
		"\n}  // namespace berth::detail\n"
}
