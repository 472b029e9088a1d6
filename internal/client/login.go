package client

import (
	"errors"
	"fmt"

	"quiniela"
)

// refused adds to a refusal of who the agency says it is what the agency can do. The refusal of a request without any proof speaks of
// the protocol, for programmers: its text is left out. Other errors come back as they are.
func (a *agency) refused(err error) error {
	var refusal *quiniela.Error
	if !errors.As(err, &refusal) || refusal.Code != quiniela.Denied {
		return err
	}
	var what string
	switch {
	case a.certified() && a.Token == "":
		what = fmt.Sprintf("%s; the certificate is that of --tls-cert: is it agency %d's (--id)? Where it is lost or revoked, ask the operator for a new one",
			refusal.Detail, a.Agency)
	case a.Token != "" && !a.Plain:
		what = fmt.Sprintf("%s; is the token (--token-file) that of agency %d (--id), and the newest? Where it is lost or revoked, the operator makes a new one: "+
			"quiniela agency rotate %d", refusal.Detail, a.Agency, a.Agency)
	case a.Plain:
		what = fmt.Sprintf("agency %d is registered at this server and has to show who it is: without --plain, give its token with --token-file FILE; with it, "+
			"its certificate with --tls-cert FILE", a.Agency)
	default:
		what = fmt.Sprintf("agency %d has to show who it is: give its token with --token-file FILE (CLI_TOKEN_FILE, or token.file in config.yaml). "+
			"Where you have none, the operator makes one: quiniela agency add %d", a.Agency, a.Agency)
	}
	return &quiniela.Error{Code: quiniela.Denied, Detail: what}
}

// certified reports whether the agency shows a certificate.
func (a *agency) certified() bool {
	return a.TLS != nil && (len(a.TLS.Certificates) > 0 || a.TLS.GetClientCertificate != nil)
}
