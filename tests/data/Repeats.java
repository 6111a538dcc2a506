import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** Posts signed bodies one after the other, as {@code HttpURLConnection} does it: URL, then signature and body of each. */
public class Repeats {
    public static void main(String[] arguments) throws Exception {
        for (int at = 1; at < arguments.length; at += 2) {
            var connection = (HttpURLConnection) URI.create(arguments[0]).toURL().openConnection();
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", "application/json");
            connection.setRequestProperty("X-TagoRUN-Signature", arguments[at]);
            connection.getOutputStream().write(arguments[at + 1].getBytes(StandardCharsets.UTF_8));
            System.out.println(connection.getResponseCode());
            connection.getInputStream().readAllBytes();
        }
    }
}
