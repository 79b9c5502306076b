package settings

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// want says in words what a field takes.
func want(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number from 0"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list, each " + want(t.Elem())
	}
	panic(fmt.Sprintf("settings: a field of type %s cannot be set", t))
}

var errValue = errors.New("value does not fit")

// assign sets a field that is not a slice from its text form.
func assign(field reflect.Value, text string) error {
	bits := 0
	if field.Kind() != reflect.String && field.Kind() != reflect.Bool {
		bits = field.Type().Bits()
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
		return nil
	case reflect.Bool:
		if text != "true" && text != "false" {
			return errValue
		}
		field.SetBool(text == "true")
		return nil
	case reflect.Float32, reflect.Float64:
		v, err := strconv.ParseFloat(text, bits)
		if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			return errValue
		}
		field.SetFloat(v)
		return nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v, err := strconv.ParseUint(text, 10, bits)
		if err == nil {
			field.SetUint(v)
		}
		return err
	}
	v, err := strconv.ParseInt(text, 10, bits)
	if err == nil {
		field.SetInt(v)
	}
	return err
}

// assignList sets a slice from the text forms of its elements.
func assignList(field reflect.Value, items []string) error {
	list := reflect.MakeSlice(field.Type(), len(items), len(items))
	for i, text := range items {
		if err := assign(list.Index(i), text); err != nil {
			return err
		}
	}
	field.Set(list)
	return nil
}

// splitList reads "50,100" or "[50, 100]"; nothing but blanks is the empty list.
func splitList(text string) []string {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	if text == "" {
		return nil
	}
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// SetNumber sets the number at a path of dst, a pointer to a struct; whole ones are rounded to. It
// panics where there is none.
func SetNumber(dst any, path string, value float64) {
	switch field := leaf(reflect.ValueOf(dst).Elem(), path); field.Kind() {
	case reflect.Float32, reflect.Float64:
		field.SetFloat(value)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		const most = 1 << 53 // the conversion of a larger number is not defined
		field.SetInt(int64(math.Round(min(max(value, -most), most))))
	default:
		panic(fmt.Sprintf("settings: %s is no number", path))
	}
}
