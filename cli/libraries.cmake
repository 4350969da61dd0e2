# What `cd chart create` writes (chart-create.c has the table).
foreach(file Chart.yaml values.yaml values.schema.json helmignore templates/deployment.lua templates/service.lua templates/ingress.lua)
	string(REGEX REPLACE "[/.]" "_" name ${file})
	embed(cli starter/lua/${file} starter_lua_${name})
endforeach()
foreach(file Chart.yaml values.yaml templates/_helpers.tpl templates/deployment.yaml templates/service.yaml templates/ingress.yaml)
	string(REGEX REPLACE "[/.]" "_" name ${file})
	embed(cli starter/helm/${file} starter_helm_${name})
endforeach()
