// Package check holds the manifests of cluster/kubernetes against Kubernetes itself: its rules for Jobs, as a library, and
// a real API server with the controller of Jobs, which scripts/kubernetes.sh builds from their modules.
//
// It is a module of its own, so that the program's go.mod knows nothing of Kubernetes.
package check
