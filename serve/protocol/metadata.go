package protocol

// Server is what GET /v2 answers.
type Server struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Extensions []string `json:"extensions"`
}

// Model is what GET /v2/models/NAME answers.
type Model struct {
	Name     string        `json:"name"`
	Versions []string      `json:"versions"`
	Platform string        `json:"platform"`
	Inputs   []Description `json:"inputs"`
	Outputs  []Description `json:"outputs"`
}

// Description is a tensor that a model takes or gives; a size of −1 may be any.
type Description struct {
	Name     string   `json:"name"`
	Datatype Datatype `json:"datatype"`
	Shape    []int    `json:"shape"`
}

// Failure is what an answer with a status of 400 or more has.
type Failure struct {
	Error string `json:"error"`
}
