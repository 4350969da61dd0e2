room_libraries(base PkgConfig::uv lazy::openssl PkgConfig::nghttp2 lazy::curl PkgConfig::jansson PkgConfig::yaml PkgConfig::utf8proc
	PkgConfig::pcre2 PkgConfig::zlib PkgConfig::deflate PkgConfig::md lazy::wslay m)
