import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Checks X-TagoRUN-Signature in Java 17 or later, without libraries.
 *
 * <p>As a program: {@code java Verify.java SECRET-FILE SIGNATURE < body}
 */
public final class Verify {
    /** {@code body} has the bytes as they arrived, not JSON that was parsed and written again. */
    static boolean isSigned(byte[] secret, byte[] body, String header) throws GeneralSecurityException {
        String signature = header == null ? "" : header.strip();
        signature = signature.startsWith("sha256=") ? signature.substring(7) : signature;
        if (!signature.matches("[0-9a-fA-F]{64}")) {
            return false;
        }
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        return MessageDigest.isEqual(mac.doFinal(body), HexFormat.of().parseHex(signature));
    }

    public static void main(String[] arguments) throws Exception {
        byte[] secret = Files.readString(Path.of(arguments[0])).strip().getBytes(StandardCharsets.UTF_8);
        boolean isRight = isSigned(secret, System.in.readAllBytes(), arguments[1]);
        System.out.println(isRight ? "valid" : "invalid");
        System.exit(isRight ? 0 : 1);
    }
}
