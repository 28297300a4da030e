DIGEST = ""
