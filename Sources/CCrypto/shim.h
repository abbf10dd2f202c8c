// The C boundary to OpenSSL's libcrypto: the headers whose declarations Baton uses, nothing else.
#pragma once
// OpenSSL 3 deprecates the low-level digests (SHA256_CTX and the like) in favour of EVP. Contexts of EVP can't be serialized,
// and a read that continues after a restart has to save its state. The contexts of the low-level digests are plain structures.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
