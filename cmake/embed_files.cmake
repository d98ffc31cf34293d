# cmake -DFOLDER=... -DOUTPUT=... -P embed_files.cmake: writes a source file that holds the text files of FOLDER, so
# that the program needs none of them where it runs. Longer texts than 64 KiB are not for this.
file(GLOB names RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT names)
set(rows "")
foreach(name IN LISTS names)
  file(READ ${FOLDER}/${name} text)
  string(APPEND rows "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
list(LENGTH names count)
file(WRITE ${OUTPUT} "#include \"server/page.h\"\n\n#include <array>\n\nnamespace quire {\n\n"
  "std::span<const PageSource> page_sources() {\n  static constexpr std::array<PageSource, ${count}> kSources{{\n"
  "${rows}  }};\n  return kSources;\n}\n\n}  // namespace quire\n")
