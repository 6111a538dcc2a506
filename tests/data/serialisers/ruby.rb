# Writes each payload of standard input as Ruby does: a line "NAME<TAB>NUMBER<TAB>BASE64" each.
require "json"
writers = {
  "to_json" => ->(value) { JSON.generate(value) },
  "pretty_generate" => ->(value) { JSON.pretty_generate(value) },
  "to_json line" => ->(value) { JSON.generate(value) + "\n" },
  "ascii_only" => ->(value) { JSON.generate(value, ascii_only: true) },
  "hash.to_s" => ->(value) { value.to_s },
}
lines = $stdin.read.force_encoding("UTF-8").split("\n")
show = ->(name, number, text) { puts "ruby #{name}\t#{number}\t#{[text].pack("m0")}" }
lines.each_with_index do |line, number|
  writers.each { |name, write| show.(name, number, write.(JSON.parse(line))) }
end
begin
  require "active_support"
  require "active_support/json"
  lines.each_with_index { |line, number| show.("Rails to_json", number, JSON.parse(line).to_json) }
rescue LoadError
  warn "skipped: Rails"
end
