<?php
// Writes each payload of standard input as PHP does: a line "NAME<TAB>NUMBER<TAB>BASE64" each.
$plain = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE;
$styles = [
    'json_encode' => 0,
    'slashes' => JSON_UNESCAPED_SLASHES,
    'unicode' => JSON_UNESCAPED_UNICODE,
    'slashes unicode' => $plain,
    'pretty' => JSON_PRETTY_PRINT,
    'pretty plain' => JSON_PRETTY_PRINT | $plain,
    // What Symfony's HttpClient and JsonResponse add.
    'hex' => JSON_HEX_TAG | JSON_HEX_APOS | JSON_HEX_AMP | JSON_HEX_QUOT,
    'zero fraction' => JSON_PRESERVE_ZERO_FRACTION,
    'hex zero fraction' => JSON_HEX_TAG | JSON_HEX_APOS | JSON_HEX_AMP | JSON_HEX_QUOT | JSON_PRESERVE_ZERO_FRACTION,
];
$lines = explode("\n", stream_get_contents(STDIN));
array_pop($lines);
foreach ($lines as $number => $line) {
    foreach ($styles as $name => $flags) {
        echo "php array $name\t$number\t", base64_encode(json_encode(json_decode($line, true), $flags)), "\n";
        if ($flags === 0 || $flags === $plain) {
            echo "php object $name\t$number\t", base64_encode(json_encode(json_decode($line), $flags)), "\n";
        }
    }
}
