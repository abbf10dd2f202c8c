// The C boundary to OpenSSL's libcrypto: what Swift cannot import as it is (macros and variadics), nothing else.
#pragma once
#include <openssl/crypto.h>
#include <openssl/evp.h>
