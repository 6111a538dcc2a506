# Checks X-TagoRUN-Signature in Ruby, with the standard library.
# As a program: ruby verify.rb SECRET-FILE SIGNATURE < body
require "openssl"

# `body` has the bytes as they arrived, not JSON that was parsed and generated again.
def signed?(secret, body, header)
  signature = header.to_s.strip.delete_prefix("sha256=")
  return false unless signature.match?(/\A\h{64}\z/)

  OpenSSL.fixed_length_secure_compare(OpenSSL::HMAC.digest("SHA256", secret, body), [signature].pack("H*"))
end

if $PROGRAM_NAME == __FILE__
  right = signed?(File.binread(ARGV[0]).strip, $stdin.binmode.read, ARGV[1])
  puts right ? "valid" : "invalid"
  exit(right ? 0 : 1)
end
