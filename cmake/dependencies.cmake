# Libraries from outside, all Debian 12 packages; docs/decisions/0002-dependencies.md says why each.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

foreach(lib libuv openssl libnghttp2 libcurl libgit2 jansson yaml-0.1 libpcre2-8 lua5.4 sqlite3 libarchive libzstd zlib
		libdeflate libseccomp libcap libmnl libutf8proc libmd cmocka)
	string(REGEX REPLACE "^lib|-[0-9.]+$|5\\.4$" "" name ${lib})
	pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${lib})
endforeach()

foreach(name wslay jq)                          # their packages have no .pc file
	string(TOUPPER ${name} variable)
	find_library(${variable}_LIBRARY ${name} REQUIRED)
	add_library(PkgConfig::${name} INTERFACE IMPORTED)
	target_link_libraries(PkgConfig::${name} INTERFACE ${${variable}_LIBRARY})
endforeach()

# Loaded when first called: those that bring many others along, or that a short command seldom needs.
include(lazy)
lazy_library(openssl curl git2 sqlite3 archive wslay jq)
