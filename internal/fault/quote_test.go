package fault

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

type dict struct{ text string }

func TestQuote(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "nothing"},
		{"f.conv1", `"f.conv1"`},
		{"a\nb\x1b[2J\xff\u202e", `"a\nb\x1b[2J\xff\u202e"`},
		{[]byte("big"), `"big"`},
		{json.Number("12"), `"12"`},
		{true, "true"}, {1.5, "1.5"}, {int64(-3), "-3"}, {uint8(7), "7"},
		{[]int{2, 3}, "[2 3]"}, {[]int64(nil), "[]"}, {[2]uint32{1, 2}, "[1 2]"},
		{&dict{"secret"}, "a dict"}, {dict{}, "a dict"}, {[]any{1}, "a slice"}, {map[string]int{"x": 1}, "a map"},
	} {
		if got := Quote(c.v); got != c.want {
			t.Errorf("%#v: got %s, want %s", c.v, got, c.want)
		}
	}
}

// TestQuoteIsShort: whatever the size, and without reading all of it.
func TestQuoteIsShort(t *testing.T) {
	long := strings.Repeat("ä\x00", 32<<20)
	wide := make([]int64, 1<<20)
	for i := range wide {
		wide[i] = -1 << 63
	}
	for _, v := range []any{long, []byte(long), wide, strings.Repeat("\U0010ffff", 1000), strings.Repeat("日", 1000)} {
		var got string
		if n := testing.AllocsPerRun(1, func() { got = Quote(v) }); n > 300 {
			t.Errorf("%T: %g allocations", v, n)
		}
		if len(got) > 150 || !utf8.ValidString(got) || !strings.Contains(got, "…") || strings.ContainsAny(got, "\n\x00") {
			t.Errorf("%T: %d bytes: %s", v, len(got), got)
		}
	}
}

func TestSprintf(t *testing.T) {
	got := Sprintf("%s of %d bytes: %q, %v and %v, %v (%5.2f): %v", "header", 7, "a\n", []int{1}, &dict{"x"}, nil, 1.0, errors.New("cut"))
	if want := `header of 7 bytes: "a\n", [1] and a dict, nothing ( 1.00): cut`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestShort(t *testing.T) {
	long := strings.Repeat("x", 101)
	for name, want := range map[string]string{"a name": "a name", "a\nb": `"a\nb"`, long: `"` + long[1:] + `"… (101 bytes)`} {
		if got := Short(name); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
	if got := Sprintf("%v", errors.New(strings.Repeat("x", 1<<20))); len(got) > 310 {
		t.Errorf("an error of %d bytes", len(got))
	}
}
