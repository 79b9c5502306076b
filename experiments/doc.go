// Package experiments will hold one file for each table and figure of the paper. Until
// then the presets of package train are the recipes.
package experiments
