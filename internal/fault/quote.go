package fault

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// quoted is how many bytes of a value from a file stand in a message, whatever the value's size.
const quoted = 100

// Quote is a value from a file, for a message: a string or bytes in quotation marks, a number or a truth
// value as it is, a list of numbers in brackets, of anything else its type alone. Control characters are
// escaped, addresses never shown, and what is longer than 100 bytes is cut at a cost that doesn't depend on
// its length, with the length beside it.
func Quote(v any) string {
	if b, ok := v.([]byte); ok {
		return quoteText(b)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return "nothing"
	case reflect.String:
		return quoteText(r.String())
	case reflect.Bool, reflect.Float32, reflect.Float64:
		return fmt.Sprint(r.Interface())
	case reflect.Slice, reflect.Array:
		if isWhole(r.Type().Elem().Kind()) {
			return quoteList(r)
		}
		return kindOf(r.Type())
	default:
		if isWhole(r.Kind()) {
			return whole(r)
		}
		return kindOf(r.Type())
	}
}

func quoteText[T string | []byte](text T) string {
	head, cut := text, ""
	if len(text) > quoted {
		head, cut = text[:quoted], fmt.Sprintf("… (%d bytes)", len(text))
	}
	return `"` + escaped(string(head)) + `"` + cut
}

// escaped is text as Go writes it between quotes, up to the length of a value in a message.
func escaped(text string) string {
	var b strings.Builder
	for text != "" && b.Len() < quoted {
		_, size := utf8.DecodeRuneInString(text)
		q := strconv.Quote(text[:size])
		b.WriteString(q[1 : len(q)-1])
		text = text[size:]
	}
	return b.String()
}

func quoteList(list reflect.Value) string {
	var b strings.Builder
	for i := range list.Len() {
		if b.Len() > quoted-len("-9223372036854775808") {
			return fmt.Sprintf("[%s …] (%d numbers)", b.String(), list.Len())
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(whole(list.Index(i)))
	}
	return "[" + b.String() + "]"
}

func isWhole(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Uint64 }

func whole(v reflect.Value) string {
	if v.CanInt() {
		return strconv.FormatInt(v.Int(), 10)
	}
	return strconv.FormatUint(v.Uint(), 10)
}

// kindOf names a type in words: "a dict" for *torchfile.dict.
func kindOf(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return "a " + t.Kind().String()
	}
	return "a " + t.Name()
}

// Short is a name from a file for a message: as it is where it is short and printable, else as Quote writes it.
func Short(name string) string {
	if len(name) > quoted {
		return Quote(name)
	}
	return Printable(name)
}

// Sprintf is fmt.Sprintf for complaints about files: %v and %q write values by Quote; words of the
// program's own are for %s. Errors, in which decoders quote what they stumble over, are cut at three times the length.
func Sprintf(format string, args ...any) string {
	safe := make([]any, len(args))
	for i, a := range args {
		if err, isError := a.(error); isError {
			safe[i] = complaint(err)
		} else {
			safe[i] = value{a}
		}
	}
	return fmt.Sprintf(format, safe...)
}

func complaint(err error) string {
	text := err.Error()
	if len(text) > 3*quoted {
		return strings.ToValidUTF8(text[:3*quoted], "") + "…"
	}
	return text
}

// value is an argument of Sprintf.
type value struct{ v any }

func (x value) Format(s fmt.State, verb rune) {
	if verb == 'v' || verb == 'q' && !isWhole(reflect.ValueOf(x.v).Kind()) {
		io.WriteString(s, Quote(x.v))
		return
	}
	fmt.Fprintf(s, fmt.FormatString(s, verb), x.v)
}
