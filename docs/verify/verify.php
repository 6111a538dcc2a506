<?php
// Checks X-TagoRUN-Signature in PHP.
// As a program: php verify.php SECRET-FILE SIGNATURE < body
// In a request: is_signed($secret, file_get_contents('php://input'), $_SERVER['HTTP_X_TAGORUN_SIGNATURE'] ?? null)

/** $body has the bytes as they arrived, not JSON that was decoded and encoded again. */
function is_signed(string $secret, string $body, ?string $header): bool
{
    $signature = preg_replace('/^sha256=/', '', trim($header ?? ''));
    if (!preg_match('/^[0-9a-f]{64}$/iD', $signature)) {
        return false;
    }
    return hash_equals(hash_hmac('sha256', $body, $secret), strtolower($signature));
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    $is_right = is_signed(trim(file_get_contents($argv[1])), file_get_contents('php://stdin'), $argv[2]);
    echo $is_right ? "valid\n" : "invalid\n";
    exit($is_right ? 0 : 1);
}
