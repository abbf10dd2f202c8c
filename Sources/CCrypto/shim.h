// The C boundary to OpenSSL's libcrypto: what Swift cannot import as it is (macros and variadics), nothing else.
#pragma once
// The low-level digests (SHA256_CTX and the like) are deprecated in OpenSSL 3 in favour of EVP, whose contexts cannot be written
// down half-way; theirs are plain structures, and that is what a read that survives a restart needs.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
