room_libraries(base PkgConfig::uv PkgConfig::openssl PkgConfig::nghttp2 PkgConfig::curl PkgConfig::jansson PkgConfig::yaml PkgConfig::utf8proc
	PkgConfig::zlib PkgConfig::deflate m)
