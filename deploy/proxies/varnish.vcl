# Varnish: /etc/varnish/default.vcl. Varnish speaks no TLS; put hitch in front, with write-proxy-v2 = on:
#   varnishd -a public=:6081 -a tls=127.0.0.1:6083,PROXY -f /etc/varnish/default.vcl
vcl 4.1;

backend receiver {
    .host = "127.0.0.1";
    .port = "8080";
    # Responses may take a minute (/webhook-test?delay=60s), the default.
    .first_byte_timeout = 75s;
}

backend inspector {
    .host = "127.0.0.1";
    .port = "8081";
    .first_byte_timeout = 75s;
}

sub vcl_recv {
    # Varnish appends its client to X-Forwarded-For before this, also to one that a sender forged. This line replaces it.
    set req.http.X-Forwarded-For = client.ip;
    if (req.http.Host ~ "(?i)^inspect\.example\.com(:|$)") {
        set req.backend_hint = inspector;
    } elsif (req.http.Host ~ "(?i)^hooks\.example\.com(:|$)") {
        set req.backend_hint = receiver;
    } else {
        return (synth(404));
    }
    # Nothing is cached: a health probe asks about now, and every request must reach tagohook. Without this line Varnish
    # also answers methods itself and drops the body of a GET.
    return (pass);
}
