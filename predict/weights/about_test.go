package weights

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestWhatIsKnownTravels: names of classes, size, norm and where they come from, whatever format they pass through.
func TestWhatIsKnownTravels(t *testing.T) {
	w := made(t, "layer")
	w.Config.Slope = 0.1
	w.About = About{Classes: []string{"Zebra", "ä\"\n", "cat"}, Data: "folder", Ground: "black", Source: "first/step-00000007", Step: 7, Averaged: true}
	dir := t.TempDir()
	path := filepath.Join(dir, "0.pt")
	if err := w.Write(path); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"1.safetensors", "2.pth", "3.pt"} {
		again, err := Read(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(again.About, w.About) || again.Config != w.Config || again.Guessed || len(again.Notes) > 0 {
			t.Errorf("%s: %+v, %+v, %v", path, again.About, again.Config, again.Notes)
		}
		path = filepath.Join(dir, name)
		if err := again.Write(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPixelsAreDescribed(t *testing.T) {
	w := made(t, "none")
	for want, got := range map[string]map[string]string{
		`[-1,1] [0.5] [0.5] grey 1`: w.metadata(signed),
		`[0,1] [0] [1] grey 1`:      w.metadata(unsigned),
	} {
		if text := strings.Join([]string{got["pixels"], got["mean"], got["std"], got["channel_order"], got["channels"]}, " "); text != want {
			t.Errorf("got %s, want %s", text, want)
		}
	}
	w.Config.InC = 3
	if m := w.metadata(signed); m["channel_order"] != "RGB" || m["std"] != "[0.5,0.5,0.5]" || m["size"] != "16" || m["layout"] != "NCHW" || m["weights_sha256"] != w.Digest() || m["classes"] != "" {
		t.Errorf("colour: %v", m)
	}
}

// TestMetadataAreNotTrusted: what can't be is said or passed over, and never stands against the numbers.
func TestMetadataAreNotTrusted(t *testing.T) {
	w := made(t, "none")
	for _, c := range []struct {
		texts map[string]string
		note  string
		fault string
	}{
		{map[string]string{"classes": `["a","b"]`}, "names 2 classes, but tells 3 apart", ""},
		{map[string]string{"classes": `{"0":"a"}`}, `names of its classes can't be read: "{\"0\":\"a\"}"`, ""},
		{map[string]string{"classes": strings.Repeat("[", 1<<20+1)}, "… (1048577 bytes)", ""},
		{map[string]string{"norm": "group", "leaky_relu_slope": "NaN", "size": "-3", "step": "x"}, "does not tell the size", ""},
		{map[string]string{"norm": "batch"}, "", "not those of a network with norm batch"},
		{map[string]string{"size": "1000000"}, "", "for images of 1000000×1000000"},
		{map[string]string{"size": "6"}, "", "size"},
	} {
		got, err := newWeights("file", source{entries: inDict(w.StateDict(), "", 1), texts: c.texts}, Options{})
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%v: got %v, want %q", c.texts, err, c.fault)
			}
			continue
		}
		if err != nil || !strings.Contains(strings.Join(got.Notes, "; "), c.note) || got.About.Classes != nil || got.Config.Slope != publishedSlope {
			t.Errorf("%.100v: %v, %+v", c.texts, err, got)
		}
	}
}
