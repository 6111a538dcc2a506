// Writes each payload of standard input as Java does: a line "NAME<TAB>NUMBER<TAB>BASE64" each.
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.*;
import com.google.gson.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

public class Serialisers {
    interface Writer { String write(String line) throws Exception; }

    public static void main(String[] arguments) throws Exception {
        Map<String, Writer> writers = new LinkedHashMap<>();
        Gson gson = new Gson();
        writers.put("Gson JsonElement", line -> gson.toJson(JsonParser.parseString(line)));
        writers.put("Gson Object", line -> gson.toJson(gson.fromJson(line, Object.class)));
        writers.put("Gson plain", line -> new GsonBuilder().disableHtmlEscaping().create().toJson(JsonParser.parseString(line)));
        writers.put("Gson nulls", line -> new GsonBuilder().serializeNulls().create().toJson(JsonParser.parseString(line)));
        writers.put("Gson pretty", line -> new GsonBuilder().setPrettyPrinting().create().toJson(JsonParser.parseString(line)));
        writers.put("JsonElement.toString", line -> JsonParser.parseString(line).toString());
        ObjectMapper mapper = new ObjectMapper();
        writers.put("Jackson JsonNode", line -> mapper.writeValueAsString(mapper.readTree(line)));
        writers.put("Jackson Object", line -> mapper.writeValueAsString(mapper.readValue(line, Object.class)));
        writers.put("Jackson pretty", line -> mapper.writerWithDefaultPrettyPrinter().writeValueAsString(mapper.readTree(line)));
        ObjectMapper sorted = new ObjectMapper().configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);
        writers.put("Jackson sorted", line -> sorted.writeValueAsString(sorted.readValue(line, Object.class)));
        ObjectMapper ascii = new ObjectMapper();
        ascii.getFactory().configure(JsonGenerator.Feature.ESCAPE_NON_ASCII, true);
        writers.put("Jackson ascii", line -> ascii.writeValueAsString(ascii.readTree(line)));
        writers.put("map.toString", line -> String.valueOf(mapper.readValue(line, Object.class)));

        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        for (int number = 0; (line = in.readLine()) != null; number++) {
            for (Map.Entry<String, Writer> entry : writers.entrySet()) {
                byte[] text = entry.getValue().write(line).getBytes(StandardCharsets.UTF_8);
                System.out.println("java " + entry.getKey() + "\t" + number + "\t" + Base64.getEncoder().encodeToString(text));
            }
        }
    }
}
