# cmake -DFOLDER=... -DNAME=... -DOUTPUT=... -P embed_files.cmake: writes a source file that holds the text files of FOLDER, so
# that the program needs none of them where it runs. Longer texts than 64 KiB are not for this.
file(GLOB names RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT names)
set(rows "")
foreach(name IN LISTS names)
  file(READ ${FOLDER}/${name} text)
  string(APPEND rows "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
list(LENGTH names count)
file(WRITE ${OUTPUT} "#include \"server/embedded_files.h\"\n\n#include <array>\n\nnamespace quire {\n\n"
  "std::span<const EmbeddedFile> ${NAME}_files() {\n  static constexpr std::array<EmbeddedFile, ${count}> kFiles{{\n"
  "${rows}  }};\n  return kFiles;\n}\n\n}  // namespace quire\n")
