// SPDX-License-Identifier: Apache-2.0

// Package specsgo asks Go's runtime-spec structs, which are what runsc decodes a spec into, for a second opinion on what
// berth accepts and writes. It runs build/bin/spec_ops; $BERTH_BUILD names another build directory.
package specsgo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"berth.test/specsgo/schema"
)

func program(t *testing.T) string {
	t.Helper()
	build := os.Getenv("BERTH_BUILD")
	if build == "" {
		build = "../../../build"
	}
	p := filepath.Join(build, "bin", "spec_ops")
	if _, err := os.Stat(p); err != nil {
		t.Fatalf("%v: build it first (make), or set BERTH_BUILD", err)
	}
	return p
}

func run(t *testing.T, stdin []byte, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.Command(program(t), args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return out, err
}

func decode(t *testing.T, text []byte) *specs.Spec {
	t.Helper()
	var s specs.Spec
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatalf("Go does not decode %s: %v", text, err)
	}
	return &s
}

func encode(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func generic(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // the source text: berth keeps it
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("Go does not decode %s: %v", text, err)
	}
	return v
}

// differences lists the pointers at which two documents differ.
func differences(a, b any, at string, out *[]string) {
	am, aok := a.(map[string]any)
	bm, bok := b.(map[string]any)
	if !aok || !bok {
		if !reflect.DeepEqual(a, b) {
			*out = append(*out, at)
		}
		return
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	keys := map[string]bool{}
	for k := range am {
		keys[k] = true
	}
	for k := range bm {
		keys[k] = true
	}
	for k := range keys {
		av, ain := am[k]
		bv, bin := bm[k]
		below := at + "/" + escape.Replace(k)
		switch {
		case ain && bin:
			differences(av, bv, below, out)
		case ain != bin:
			*out = append(*out, below)
		}
	}
}

func fixtures(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	files, _ := filepath.Glob("../spec/*.json")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(file)] = text
	}
	if len(out) < 6 {
		t.Fatalf("only %d fixtures", len(out))
	}
	return out
}

// The table that the scan works by is that of the structs.
func TestSchemaIsThatOfTheStructs(t *testing.T) {
	have, err := os.ReadFile("../../../include/berth/impl/spec/schema_table.ipp")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != schema.Table() {
		t.Error("schema_table.ipp is not what schemagen makes of this runtime-spec: run it again")
	}
}
