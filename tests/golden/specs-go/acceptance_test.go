// SPDX-License-Identifier: Apache-2.0

package specsgo

// What berth lets through, Go decodes to the same.

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

type verdict struct {
	accepted bool
	text     string
}

func check(t *testing.T, documents []string) []verdict { return checkAfter(t, "nothing", documents) }

// checkAfter says what came of an operation on each document.
func checkAfter(t *testing.T, operation string, documents []string) []verdict {
	t.Helper()
	var lines []string
	for _, document := range documents {
		lines = append(lines, hex.EncodeToString([]byte(document)))
	}
	out, err := run(t, []byte(strings.Join(lines, "\n")+"\n"), "check", operation)
	if err != nil {
		t.Fatal(err)
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(lines) {
		t.Fatalf("%d answers to %d specs", len(answers), len(lines))
	}
	verdicts := make([]verdict, len(lines))
	for i, answer := range answers {
		word, rest, _ := strings.Cut(answer, "\t")
		verdicts[i] = verdict{word == "ok", rest}
	}
	return verdicts
}

// agree checks what must hold of every spec that berth lets through: Go decodes it, to the same as what berth writes, and
// no key is there that Go would put over another.
func agree(t *testing.T, input, output []byte) {
	t.Helper()
	if !json.Valid(input) {
		t.Fatalf("accepted, but not JSON: %q", input)
	}
	if in, out := encode(t, decode(t, input)), encode(t, decode(t, output)); in != out {
		t.Fatalf("Go decodes %q to\n%s\nand what berth made of it to\n%s", input, in, out)
	}
	if !reflect.DeepEqual(generic(t, input), generic(t, output)) {
		t.Fatalf("%q is not the same as %q", input, output)
	}
	if pointer := hidden(reflect.TypeOf(specs.Spec{}), input, ""); pointer != "" {
		t.Fatalf("accepted with %s, which Go takes for another key: %q", pointer, input)
	}
}

// hidden walks tokens by Go's types and returns the pointer of a key that is there twice, or, where a struct is decoded,
// that Go would match with a field of another spelling.
func hidden(kind reflect.Type, text []byte, at string) string {
	for kind != nil && kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	trimmed := bytes.TrimSpace(text)
	d := json.NewDecoder(bytes.NewReader(trimmed))
	switch trimmed[0] {
	case '[':
		d.Token()
		for i := 0; d.More(); i++ {
			var raw json.RawMessage
			if d.Decode(&raw) != nil {
				return at
			}
			var element reflect.Type
			if kind != nil && kind.Kind() == reflect.Slice {
				element = kind.Elem()
			}
			if p := hidden(element, raw, fmt.Sprint(at, "/", i)); p != "" {
				return p
			}
		}
	case '{':
		d.Token()
		seen := map[string]bool{}
		for d.More() {
			token, err := d.Token()
			if err != nil {
				return at
			}
			key := token.(string)
			var raw json.RawMessage
			if d.Decode(&raw) != nil {
				return at
			}
			below := at + "/" + key
			if seen[key] {
				return below
			}
			seen[key] = true
			var child reflect.Type
			if kind != nil && kind.Kind() == reflect.Map {
				child = kind.Elem()
			}
			if kind != nil && kind.Kind() == reflect.Struct {
				for _, f := range reflect.VisibleFields(kind) {
					name := strings.Split(f.Tag.Get("json"), ",")[0]
					if name == "" || f.Anonymous {
						continue
					}
					if name == key {
						child = f.Type
					} else if strings.EqualFold(name, key) && !exact(kind, key) {
						return below
					}
				}
			}
			if p := hidden(child, raw, below); p != "" {
				return p
			}
		}
	}
	return ""
}

func exact(kind reflect.Type, key string) bool {
	for _, f := range reflect.VisibleFields(kind) {
		if strings.Split(f.Tag.Get("json"), ",")[0] == key {
			return true
		}
	}
	return false
}

// corpus is what the fuzz targets start from.
func corpus(t *testing.T) []string {
	t.Helper()
	files, _ := filepath.Glob("../../fuzz/corpus/spec_*/*")
	var documents []string
	for _, file := range files {
		input, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(file, "spec_operations") {
			if i := bytes.IndexByte(input, 0); i >= 0 { // what comes before it are operations
				input = input[i+1:]
			}
		}
		documents = append(documents, string(input))
	}
	return documents
}

// Over the fuzz corpora and the fixtures.
func TestCorpus(t *testing.T) {
	documents := corpus(t)
	for _, text := range fixtures(t) {
		documents = append(documents, string(text))
	}
	accepted := 0
	for i, v := range check(t, documents) {
		if v.accepted {
			accepted++
			agree(t, []byte(documents[i]), []byte(v.text))
		}
	}
	if accepted < 10 {
		t.Errorf("only %d of %d were accepted", accepted, len(documents))
	}
}

// Every field that the structs have, spelt in other ways: Go takes it for the field, so berth refuses it.
func TestEveryFieldInAnotherCaseIsRefused(t *testing.T) {
	var lines []string
	var walk func(kind reflect.Type, before, after string, depth int)
	walk = func(kind reflect.Type, before, after string, depth int) {
		switch kind.Kind() {
		case reflect.Pointer:
			walk(kind.Elem(), before, after, depth)
		case reflect.Slice:
			walk(kind.Elem(), before+"[", "]"+after, depth)
		case reflect.Map:
			walk(kind.Elem(), before+`{"some.key":`, "}"+after, depth)
		case reflect.Struct:
			for _, f := range reflect.VisibleFields(kind) {
				name := strings.Split(f.Tag.Get("json"), ",")[0]
				if name == "" || f.Anonymous {
					continue
				}
				spellings := []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:],
					name[:len(name)-1] + strings.ToUpper(name[len(name)-1:]), strings.ToLower(name),
					strings.Replace(name, "s", "ſ", 1), strings.Replace(name, "k", "\u212a", 1)}
				for _, spelt := range spellings {
					if spelt == name || exact(kind, spelt) {
						continue
					}
					lines = append(lines, before+fmt.Sprintf("{%q:null}", spelt)+after)
				}
				walk(f.Type, before+fmt.Sprintf("{%q:", name), "}"+after, depth+1)
			}
		}
	}
	walk(reflect.TypeOf(specs.Spec{}), "", "", 0)
	if len(lines) < 1000 {
		t.Fatalf("only %d spellings", len(lines))
	}
	for i, v := range check(t, lines) {
		if v.accepted || !strings.HasPrefix(v.text, "spec_key_case\t") {
			t.Errorf("%s: %v %s", lines[i], v.accepted, v.text)
		}
	}
}

// Specs damaged at random: what berth still accepts, Go decodes to the same.
func TestDamagedSpecs(t *testing.T) {
	random := rand.New(rand.NewSource(20261124))
	var sources []string
	for _, text := range fixtures(t) {
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, compact.String())
	}
	sort.Strings(sources)
	bits := []string{`"`, `\`, `{`, `}`, `[`, `]`, `,`, `:`, `null`, `1`, `-1`, `0.5`, `1e3`, `18446744073709551616`, `""`,
		`"\u0000"`, `"\ud800"`, `\u0061`, `ſ`, "\u212a", "\xff", "\xe2\x82", "A", "a", " ", "..", "/", `{"a":1}`, `[]`, `true`}
	var lines []string
	for i := 0; i < 20000; i++ {
		text := []byte(sources[random.Intn(len(sources))])
		for n := 1 + random.Intn(2); n > 0; n-- {
			at := random.Intn(len(text) + 1)
			switch random.Intn(5) {
			case 0: // a bit more
				text = append(text[:at:at], append([]byte(bits[random.Intn(len(bits))]), text[at:]...)...)
			case 1: // a bit less
				end := min(at+1+random.Intn(3), len(text))
				text = append(text[:at:at], text[end:]...)
			case 2: // another case
				if at < len(text) {
					if c := text[at] | 0x20; c >= 'a' && c <= 'z' {
						text = append([]byte{}, text...)
						text[at] ^= 0x20
					}
				}
			case 3: // a piece twice
				end := min(at+random.Intn(60), len(text))
				text = append(text[:end:end], append(append([]byte{}, text[at:end]...), text[end:]...)...)
			case 4: // another value
				if colon := bytes.IndexByte(text[at:], ':'); colon >= 0 {
					from := at + colon + 1
					end := from
					for end < len(text) && !bytes.ContainsRune([]byte(",}]"), rune(text[end])) {
						end++
					}
					text = append(text[:from:from], append([]byte(bits[random.Intn(len(bits))]), text[end:]...)...)
				}
			}
		}
		lines = append(lines, string(text))
	}
	accepted := 0
	for i, v := range check(t, lines) {
		if v.accepted {
			accepted++
			agree(t, []byte(lines[i]), []byte(v.text))
		}
	}
	if accepted < len(lines)/50 || accepted == len(lines) {
		t.Errorf("%d of %d accepted: the damage tells nothing", accepted, len(lines))
	}
	t.Logf("%d of %d accepted", accepted, len(lines))
}
