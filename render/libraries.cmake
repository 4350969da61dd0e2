room_libraries(render PkgConfig::lua PkgConfig::pcre2 PkgConfig::utf8proc lazy::openssl lazy::archive crypt)
embed(render chart/lua/k8s.lua k8s_lua)
embed(render chart/gotmpl/calls.lua calls_lua)
