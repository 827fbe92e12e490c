// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// encode is json.Marshal for what goes to the library. A string that is not UTF-8 is an error here: json.Marshal would
// put other characters in its place, and another command would run, or another file be named, than the caller's.
func encode(op string, v any) (string, error) {
	if path, bad := notUTF8(reflect.ValueOf(v)); bad {
		return "", invalid(op, path, "this string is not UTF-8")
	}
	b, err := json.Marshal(v)
	return string(b), err
}

// set is an object of options, by the library's names.
type set map[string]any

// filler is a structure of options: fill puts into a set what is not the default. One that is nil fills nothing.
type filler interface{ fill(set) }

func filled(o filler) set {
	s := set{}
	o.fill(s)
	return s
}

// encodeOptions is the text that the library reads; "" where all are the defaults.
func encodeOptions(op string, o filler) (string, error) {
	s := filled(o)
	if len(s) == 0 {
		return "", nil
	}
	return encode(op, s)
}

// put adds what is not the zero value.
func put[T comparable](s set, name string, v T) {
	var zero T
	if v != zero {
		s[name] = v
	}
}

func putAll[S ~[]T, T any](s set, name string, v S) {
	if len(v) != 0 {
		s[name] = v
	}
}

func putPointer[T any](s set, name string, v *T) {
	if v != nil {
		s[name] = *v
	}
}

// putObjects adds a list of structures.
func putObjects[T any, P interface {
	*T
	filler
}](s set, name string, v []T) {
	if len(v) == 0 {
		return
	}
	list := make([]set, len(v))
	for i := range v {
		list[i] = filled(P(&v[i]))
	}
	s[name] = list
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// notUTF8 looks for a string that is not UTF-8, and gives its place as a JSON pointer. Bytes, such as json.RawMessage,
// are passed over: what they hold goes to the library as it is.
func notUTF8(v reflect.Value) (path string, bad bool) {
	switch v.Kind() {
	case reflect.String:
		return "", !utf8.ValidString(v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return notUTF8(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return "", false
		}
		for i := range v.Len() {
			if path, bad = notUTF8(v.Index(i)); bad {
				return "/" + strconv.Itoa(i) + path, true
			}
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			key := each.Key()
			if path, bad = notUTF8(key); !bad {
				path, bad = notUTF8(each.Value())
			}
			if bad && key.Kind() == reflect.String {
				path = "/" + pointerEscapes.Replace(strings.ToValidUTF8(key.String(), "\uFFFD")) + path
			}
			if bad {
				return path, true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "-" || !field.IsExported() && !field.Anonymous {
				continue
			}
			if path, bad = notUTF8(v.Field(i)); !bad {
				continue
			}
			if field.Anonymous && name == "" { // its fields are its holder's
				return path, true
			}
			if name == "" {
				name = field.Name
			}
			return "/" + pointerEscapes.Replace(name) + path, true
		}
	}
	return "", false
}
