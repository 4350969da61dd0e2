# Libraries from outside, all Debian 12 packages; docs/decisions/0002-dependencies.md says why each.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

foreach(lib libuv openssl libnghttp2 libcurl libgit2 jansson yaml-0.1 libpcre2-8 lua5.4 sqlite3 libarchive libzstd zlib
		libdeflate libseccomp libcap libmnl libutf8proc libmd cmocka)
	string(REGEX REPLACE "^lib|-[0-9.]+$|5\\.4$" "" name ${lib})
	pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${lib})
endforeach()

find_library(WSLAY_LIBRARY wslay REQUIRED)      # its package has no .pc file
add_library(PkgConfig::wslay INTERFACE IMPORTED)
target_link_libraries(PkgConfig::wslay INTERFACE ${WSLAY_LIBRARY})

# Loaded when first called: those that bring many others along, or that a short command seldom needs.
include(lazy)
lazy_library(openssl curl git2 sqlite3 archive wslay)
