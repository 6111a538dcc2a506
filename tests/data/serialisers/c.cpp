// Writes each payload of standard input as C++'s nlohmann/json and C's cJSON do: "NAME<TAB>NUMBER<TAB>hex:HEX" each.
#include <cjson/cJSON.h>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

static void show(const char *name, int number, const std::string &text) {
    printf("c %s\t%d\thex:", name, number);
    for (unsigned char byte : text) printf("%02x", byte);
    printf("\n");
}

int main() {
    std::string line;
    for (int number = 0; std::getline(std::cin, line); number++) {
        nlohmann::json value = nlohmann::json::parse(line);
        show("nlohmann dump", number, value.dump());
        show("nlohmann dump(4)", number, value.dump(4));
        show("nlohmann ascii", number, value.dump(-1, ' ', true));
        show("nlohmann ordered", number, nlohmann::ordered_json::parse(line).dump());
        cJSON *tree = cJSON_Parse(line.c_str());
        show("cJSON_PrintUnformatted", number, cJSON_PrintUnformatted(tree));
        show("cJSON_Print", number, cJSON_Print(tree));
    }
}
