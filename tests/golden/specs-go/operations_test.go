// SPDX-License-Identifier: Apache-2.0

package specsgo

// Each operation changes what it says and nothing else.

import (
	"reflect"
	"strings"
	"testing"
)

func TestOperations(t *testing.T) {
	listed, err := run(t, nil, "list")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(listed))
	if len(names) != len(operations) {
		t.Errorf("spec_ops has %d operations, this test knows %d", len(names), len(operations))
	}
	for name, fixture := range fixtures(t) {
		for _, op := range names {
			t.Run(op+"/"+name, func(t *testing.T) {
				known, ok := operations[op]
				if !ok {
					t.Fatal("not known here")
				}
				after, err := run(t, fixture, "run", op)
				if err != nil {
					t.Fatal(err)
				}
				wanted := decode(t, fixture)
				known.intent(wanted)
				have := decode(t, after)
				// Pointers to sections that are empty but for what Go cannot see count as sections: compared as encoded.
				if w, h := encode(t, wanted), encode(t, have); w != h {
					if !sameButForEmptySections(t, w, h) {
						t.Errorf("meant\n%s\ncame out as\n%s", w, h)
					}
				}
				var changed []string
				differences(generic(t, fixture), generic(t, after), "", &changed)
				for _, pointer := range changed {
					if !covered(pointer, known.touches, generic(t, fixture)) {
						t.Errorf("changed %s, which it has not named", pointer)
					}
				}
			})
		}
	}
}

// covered says whether a changed pointer lies at or beneath one that may change, or is a parent that was absent or null.
func covered(pointer string, touches []string, before any) bool {
	for _, touch := range touches {
		if pointer == touch || strings.HasPrefix(pointer, touch+"/") {
			return true
		}
		if strings.HasPrefix(touch, pointer+"/") {
			v := before
			for _, key := range strings.Split(pointer, "/")[1:] {
				m, _ := v.(map[string]any)
				v = m[key]
			}
			if v == nil {
				return true
			}
		}
	}
	return false
}

// sameButForEmptySections compares without members that are null, {} or [] or hold only such: that a section is there
// and empty, or absent, is the same to whoever reads it.
func sameButForEmptySections(t *testing.T, a, b string) bool {
	return reflect.DeepEqual(prune(generic(t, []byte(a))), prune(generic(t, []byte(b))))
}

func prune(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if p := prune(e); p == nil {
				delete(x, k)
			} else {
				x[k] = p
			}
		}
		if len(x) == 0 {
			return nil
		}
	case []any:
		if len(x) == 0 {
			return nil
		}
		for i := range x {
			x[i] = prune(x[i])
		}
	}
	return v
}
