// Package config is everything that decides the outcome of a run: one Config with its presets,
// the rules that a valid one keeps, its YAML with a comment on each key, what may change
// when a run is resumed, and what its parts mean to the packages of the mathematics.
//
// It opens neither files of images nor devices. How settings are read, layered and named in
// errors is package config/settings'.
package config
