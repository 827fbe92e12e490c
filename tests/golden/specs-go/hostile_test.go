// SPDX-License-Identifier: Apache-2.0

package specsgo

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// values that are odd in one place or another, or everywhere.
var values = []string{
	`null`, `true`, `false`, `0`, `-0`, `1`, `-1`, `01`, `-01`, `+1`, `.5`, `1.`, `0.5`, `1.0`, `-0.0`, `1e2`, `1E+2`, `1e-2`,
	`1e400`, `-1e400`, `1e-400`, `0x10`, `1_000`, `NaN`, `Infinity`, `-Infinity`, `255`, `256`, `2147483648`, `4294967295`,
	`4294967296`, `-2147483649`, `9007199254740993`, `9223372036854775807`, `9223372036854775808`, `-9223372036854775808`,
	`-9223372036854775809`, `18446744073709551615`, `18446744073709551616`, `340282366920938463463374607431768211456`,
	strings.Repeat("9", 400), `0.` + strings.Repeat("3", 400),
	`""`, `" "`, `"a"`, `"/a"`, `"/a/../b"`, `"CAP_KILL"`, `"cap_kill"`, `"\u0000"`, "\"\x00\"", "\"\x1f\"", "\"a\tb\"", `"\u001f"`,
	`"\ud800"`, `"\udc00"`, `"\udc00\ud800"`, `"\ud83d\ude00"`, `"\uD83D"`, `"\ud83d\u0061"`, `"\u12"`, `"\x41"`, `"\'"`, `'a'`, `"a`,
	"\"\xff\"", "\"\xc0\xaf\"", "\"\xe2\x82\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\u2028\"",
	"\"\ufeff\"", "\"\ufffd\"", `"<&>"`, `"\u003c"`, `"\/"`, "\"\x7f\"",
	`[]`, `[null]`, `[null,null]`, `[[]]`, `[{}]`, `["a"]`, `["a","a"]`, `["CAP_KILL"]`, `[0]`, `[1,2]`, `[1,]`, `[,1]`, `[1 2]`,
	`["/a"]`, `["A=1"]`, `["A=1","A=2"]`, `["A"]`, `["=1"]`, `[""]`,
	`{}`, `{"":1}`, `{"":null}`, `{"a":"b"}`, `{"a":1}`, `{"a":null}`, `{"a":"1","a":"2"}`, `{"a":"1","\u0061":"2"}`, `{"a":"1","A":"2"}`,
	`{"k":"1","\u212a":"2"}`, `{"s":"1","\u017f":"2"}`, `{"a":{}}`, `{"a":[]}`, `{"a":"b",}`, `{a:1}`, `{"a"}`, `{"a":}`, `{1:2}`,
	`{"__proto__":{}}`, `{"\u0000":"a"}`, `{"\ud800":"a"}`, "{\"\xff\":\"a\"}", `{"path":"/x","Path":"/y"}`,
	`/**/1`, "1//x\n", `#1`, `undefined`, `None`, `nul`, `truefalse`, ``, ` `, "\v1", "\u00a01", "\ufeff1",
	strings.Repeat("[", 200) + strings.Repeat("]", 200), strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200),
	strings.Repeat("[", 20000), strings.Repeat("[", 100) + strings.Repeat("]", 100),
}

// whole documents that are odd as such.
var documents = []string{
	``, ` `, "\n", `null`, `true`, `1`, `"a"`, `[]`, `[{}]`, `{}`, ` {} `, "\t{\r\n}\n", "\ufeff{}", "{}\ufeff", "\xef\xbb{}", "\xff\xfe{\x00}\x00",
	"{}\x00", "\x00{}", `{}{}`, `{},`, `{}]`, `{} x`, `{}//`, `/**/{}`, `#{}`, `({})`, `{`, `}`, `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`,
	"{}\x1a", "{}\f", "{}\v", "{}\u2028", `<?xml?>`, `%YAML 1.2`, "---\n{}", "{\"a\":1\x00}", `{"hostname":"a"}{"hostname":"b"}`,
	`{"hostname":"a","hostname":"b"}`, `{"hostname":"a","\u0068ostname":"b"}`, `{"hostname":"a","Hostname":"b"}`, `{"Hostname":"b"}`,
	`{"ho\u017ftname":"b"}`, "{\"ho\u017ftname\":\"b\"}", `{"linux":{"seccomp":{},"Seccomp":{}}}`, `{"LINUX":{}}`, `{"lin\u0075x":{}}`,
	`{"":{}}`, `{"":{},"":{}}`, `{" process":{}}`, `{"process ":{}}`, `{"process\u0000":{}}`, "{\"process\x00\":{}}",
	`{"x":{"a":1,"A":2}}`, `{"x":{"a":1,"a":2}}`, `{"annotations":{"a":"1","A":"2"}}`, `{"annotations":{"a":"1","a":"2"}}`,
	`{"annotations":{"a":"1","\u0061":"2"}}`, `{"annotations":{"":""}}`, `{"annotations":{"a":null}}`, `{"annotations":{"a":1}}`,
	`{"mounts":[{"destination":"/x","destination":"/y"}]}`, `{"mounts":[{"destination":"/x","Destination":"/y"}]}`,
	`{"mounts":[null]}`, `{"mounts":[null,{"destination":"/x"},null]}`, `{"mounts":[{}]}`, `{"mounts":[{"destination":null}]}`,
	`{"mounts":[{"destination":"/var/lib/docker"},{"destination":"/var//lib/docker/"}]}`, `{"mounts":[{"destination":"/"}]}`,
	`{"mounts":[{"destination":"/sys/fs/cgroup","options":null}]}`, `{"mounts":[{"destination":"/sys/fs/cgroup","options":[null]}]}`,
	`{"mounts":[{"destination":"/sys"},{"destination":"/sys/fs/cgroup","type":"cgroup","options":["ro"]},{"destination":"/sys/fs"}]}`,
	`{"mounts":[{"destination":"/sys/fs/cgroup/memory"},{"destination":"/sys/./fs/cgroup"}]}`,
	`{"process":{"capabilities":null}}`, `{"process":{"capabilities":{"bounding":null}}}`, `{"process":{"capabilities":{"bounding":[null]}}}`,
	`{"process":{"capabilities":{"bounding":["CAP_SYS_ADMIN","CAP_SYS_ADMIN"],"ambient":["CAP_KILL"]}}}`,
	`{"process":{"capabilities":{"Bounding":["CAP_SYS_ADMIN"]}}}`, `{"process":null}`, `{"process":{}}`, `{"process":{"args":null,"env":null}}`,
	`{"process":{"user":null}}`, `{"process":{"user":{"uid":null,"gid":-0}}}`, `{"process":{"user":{"uid":-0}}}`, `{"process":{"user":{"uid":4294967296}}}`,
	`{"process":{"user":{"additionalGids":[null]}}}`, `{"process":{"oomScoreAdj":-0}}`, `{"process":{"rlimits":[null]}}`,
	`{"process":{"rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":-0}]}}`, `{"process":{"env":[null,"A=1",null]}}`,
	`{"process":{"env":["PATH=/a","PATH=/b","PATH"]}}`, `{"process":{"args":[null]}}`, `{"root":null}`, `{"root":{"path":null,"readonly":null}}`,
	`{"linux":null}`, `{"linux":{"resources":null}}`, `{"linux":{"resources":{"memory":null,"cpu":null,"pids":null,"unified":null}}}`,
	`{"linux":{"resources":{"memory":{"limit":null}}}}`, `{"linux":{"resources":{"memory":{"limit":1.0}}}}`, `{"linux":{"resources":{"memory":{"limit":1e3}}}}`,
	`{"linux":{"resources":{"unified":{"memory.high":null}}}}`, `{"linux":{"namespaces":[null]}}`,
	`{"linux":{"namespaces":[{"type":"network"},{"type":"network","path":"/x"},null]}}`, `{"linux":{"namespaces":[{"type":null}]}}`,
	`{"linux":{"seccomp":null}}`, `{"linux":{"seccomp":{"syscalls":null}}}`, `{"linux":{"seccomp":{"syscalls":[null]}}}`, `{"linux":{"devices":[null]}}`,
	`{"hooks":null}`, `{"hooks":{"prestart":[null]}}`, `{"hooks":{"prestart":[{"path":"/bin/sh","args":null,"timeout":null}]}}`,
	`{"ociVersion":null}`, `{"ociVersion":""}`, `{"hostname":null}`, `{"domainname":null}`, `{"vm":null}`, `{"windows":null}`, `{"solaris":{}}`,
}

// places lists every place that Go's structs have, as what stands before and after its value.
func places() [][2]string {
	var out [][2]string
	var walk func(kind reflect.Type, before, after string)
	walk = func(kind reflect.Type, before, after string) {
		out = append(out, [2]string{before, after})
		switch kind.Kind() {
		case reflect.Pointer:
			out = out[:len(out)-1]
			walk(kind.Elem(), before, after)
		case reflect.Slice:
			walk(kind.Elem(), before+"[", "]"+after)
		case reflect.Map:
			walk(kind.Elem(), before+`{"some.key":`, "}"+after)
		case reflect.Struct:
			for _, f := range reflect.VisibleFields(kind) {
				if name := strings.Split(f.Tag.Get("json"), ",")[0]; name != "" && name != "-" && !f.Anonymous {
					walk(f.Type, before+fmt.Sprintf("{%q:", name), "}"+after)
				}
			}
		}
	}
	walk(reflect.TypeOf(specs.Spec{}), "", "")
	return append(out, [2]string{`{"x-unknown":`, "}"}, [2]string{`{"process":{"x-unknown":[`, `]}}`})
}

// agreeAfter reports what is wrong with an accepted document: Go has to decode it, and what berth made of it to that with
// the operation's intent carried out.
func agreeAfter(operation, input, output string) string {
	var before, after specs.Spec
	if err := json.Unmarshal([]byte(input), &before); err != nil {
		return fmt.Sprintf("accepted, and Go does not decode it: %v", err)
	}
	if err := json.Unmarshal([]byte(output), &after); err != nil {
		return fmt.Sprintf("Go does not decode what came of it: %v: %.300s", err, output)
	}
	if pointer := hidden(reflect.TypeOf(before), []byte(input), ""); pointer != "" {
		return "accepted with " + pointer + ", which Go takes for another key"
	}
	operations[operation].intent(&before)
	meant, err := json.Marshal(before)
	if err != nil {
		return err.Error()
	}
	have, err := json.Marshal(after)
	if err != nil {
		return err.Error()
	}
	if string(meant) == string(have) {
		return ""
	}
	var m, h any
	if json.Unmarshal(meant, &m) != nil || json.Unmarshal(have, &h) != nil || !reflect.DeepEqual(prune(m), prune(h)) {
		return fmt.Sprintf("meant\n%s\ncame out as\n%s", meant, have)
	}
	return ""
}

// differential applies an operation to each document: refused, or never with another meaning than Go's.
func differential(t *testing.T, operation string, all []string) (accepted int) {
	t.Helper()
	failures := 0
	for i, v := range checkAfter(t, operation, all) {
		if !v.accepted {
			continue
		}
		accepted++
		if wrong := agreeAfter(operation, all[i], v.text); wrong != "" {
			if failures++; failures <= 10 {
				t.Errorf("%s, %.200q: %s", operation, all[i], wrong)
			}
		}
	}
	if failures > 10 {
		t.Errorf("%s: %d more", operation, failures-10)
	}
	return accepted
}

// Every odd value at every place that a spec has.
func TestOddValuesEverywhere(t *testing.T) {
	var all []string
	for _, place := range places() {
		for _, value := range values {
			all = append(all, place[0]+value+place[1])
		}
	}
	for _, operation := range []string{"nothing", "docker-tmpfs"} {
		accepted := differential(t, operation, all)
		if accepted < len(all)/50 || accepted > len(all)/2 {
			t.Errorf("%s: %d of %d accepted: the corpus tells nothing", operation, accepted, len(all))
		}
		t.Logf("%s: %d of %d accepted", operation, accepted, len(all))
	}
}

// Hostile documents and the fuzz corpus, through every operation.
func TestHostileDocuments(t *testing.T) {
	all := append(append([]string{}, documents...), corpus(t)...)
	for _, value := range values {
		all = append(all, value, `{"x":`+value+`}`, `{"annotations":`+value+`}`, `{"hostname":`+value+`}`)
	}
	if len(all) < 365 {
		t.Fatalf("only %d documents", len(all))
	}
	total := 0
	for operation := range operations {
		total += differential(t, operation, all)
	}
	t.Logf("%d documents, %d times accepted in %d operations", len(all), total, len(operations))
}
