package replay

import _ "embed" // the recorded step

// builtIn is the name of the step that the program carries: WRN-10-1, batch 8, 5 SGLD steps.
const builtIn = "jem_wrn10_1"

var (
	//go:embed testdata/jem_wrn10_1.json
	builtInConfig []byte
	//go:embed testdata/jem_wrn10_1.safetensors
	builtInTensors []byte
)

// BuiltIn is the recorded step that the program carries.
func BuiltIn() (*Step, error) {
	config, err := parseConfig(builtInConfig)
	if err != nil {
		return nil, err
	}
	tensors, err := decode(builtInTensors)
	if err != nil {
		return nil, err
	}
	return newStep(builtIn, config, tensors)
}
