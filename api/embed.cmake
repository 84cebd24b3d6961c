# Writes INPUT's bytes as a C array, hf_openapi_yaml, to OUTPUT.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT} "#include <stddef.h>\n#include \"api/resources/openapi.h\"\nconst unsigned char hf_openapi_yaml[] = {${bytes}0};\nconst size_t hf_openapi_yaml_len = sizeof hf_openapi_yaml - 1;\n")
