package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strings"
)

// guarded lets through who may ask.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refused := func(err error) {
			s.followed("refused", func(w http.ResponseWriter, _ *http.Request) { fail(w, err) }).ServeHTTP(w, r)
		}
		switch site := r.Header.Get("Sec-Fetch-Site"); {
		case !s.called(r.Host):
			refused(refusef(http.StatusForbidden, "this service is not called %s: --host names what it is called", clipped(r.Host)))
		case site != "" && site != "same-origin" && site != "none" && r.Method != http.MethodGet:
			refused(refusef(http.StatusForbidden, "pages of other sites may not ask here"))
		case !s.allowed(r):
			w.Header().Set("WWW-Authenticate", `Bearer realm="jem"`)
			refused(refusef(http.StatusUnauthorized, "a token is wanted, as in Authorization: Bearer TOKEN"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// called reports whether the service goes by the name in a request's Host. A page whose own name was made to lead here
// would send that.
func (s *Server) called(host string) bool {
	if len(s.o.Hosts) == 0 {
		return true
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return slices.ContainsFunc(s.o.Hosts, func(name string) bool { return strings.EqualFold(name, strings.Trim(host, "[]")) })
}

// allowed reports whether a request has the token. Health is nobody's secret: what starts the service asks without one. Nor
// is the page, which asks people for the token and sends it with what it asks.
func (s *Server) allowed(r *http.Request) bool {
	path := r.URL.Path
	secret := path == "/metrics" || path == "/v2" || strings.HasPrefix(path, "/v2/") && !strings.HasPrefix(path, "/v2/health/") || strings.HasPrefix(path, "/api/")
	if s.o.Token == "" || !secret {
		return true
	}
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	want, got := sha256.Sum256([]byte(s.o.Token)), sha256.Sum256([]byte(strings.TrimSpace(given)))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// admit takes room for a request's body, which release gives back; false if there is none at this moment.
func (s *Server) admit(r *http.Request) (release func(), ok bool) {
	size := r.ContentLength
	if size < 0 || size > s.o.Body || r.Header.Get("Content-Encoding") != "" {
		size = s.o.Body // it may become as many
	}
	return s.reserve(size)
}

// reserve takes so many bytes of what all requests together may have, which release gives back; false if they are not there.
func (s *Server) reserve(size int64) (release func(), ok bool) {
	if s.bodies.Add(size) > s.o.Bodies {
		s.bodies.Add(-size)
		return nil, false
	}
	return func() { s.bodies.Add(-size) }, true
}
