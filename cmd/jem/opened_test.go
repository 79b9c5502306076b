package main

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestNotesAreSaidOnce: measuring a score and fitting a rule open the same pictures, and each says
// what is the matter with them.
func TestNotesAreSaidOnce(t *testing.T) {
	core, said := observer.New(zap.WarnLevel)
	s := &screen{log: zap.New(core)}
	s.notes([]string{"3 of 7 are transparent", "no test set"})
	s.notes([]string{"3 of 7 are transparent", "1 is stored lying"})
	if said.Len() != 3 {
		t.Errorf("said %v", said.All())
	}
}
