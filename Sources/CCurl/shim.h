// The C boundary to libcurl: typed wrappers for its variadic functions, nothing else.
#pragma once
#include <curl/curl.h>

static inline CURLcode baton_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode baton_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode baton_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode baton_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode baton_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*baton_curl_data_callback)(char *bytes, size_t size, size_t count, void *context);
/// `option` is CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION or CURLOPT_READFUNCTION: they share one signature.
static inline CURLcode baton_curl_set_data_callback(CURL *handle, CURLoption option, baton_curl_data_callback callback) {
    return curl_easy_setopt(handle, option, callback);
}

typedef curl_socket_t (*baton_curl_opensocket_callback)(void *context, curlsocktype purpose, struct curl_sockaddr *address);
static inline CURLcode baton_curl_set_opensocket_callback(CURL *handle, baton_curl_opensocket_callback callback, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, callback);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, context);
}
/// `addr` has the length `addrlen`, which may exceed its type. Swift must therefore use its address and never copy it.
static inline const struct sockaddr *baton_curl_socket_address(const struct curl_sockaddr *address) { return &address->addr; }
typedef int (*baton_curl_prereq_callback)(void *context, char *peer, char *own, int peerPort, int ownPort);
static inline CURLcode baton_curl_set_prereq_callback(CURL *handle, baton_curl_prereq_callback callback, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, callback);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_PREREQDATA, context);
}

typedef int (*baton_curl_socket_callback)(CURL *handle, curl_socket_t socket, int what, void *context, void *socketContext);
typedef int (*baton_curl_timer_callback)(CURLM *multi, long milliseconds, void *context);
static inline CURLMcode baton_curl_multi_set_socket_callback(CURLM *multi, baton_curl_socket_callback callback, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback);
    return code != CURLM_OK ? code : curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
}
static inline CURLMcode baton_curl_multi_set_timer_callback(CURLM *multi, baton_curl_timer_callback callback, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback);
    return code != CURLM_OK ? code : curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
}
static inline CURLMcode baton_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLcode baton_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLcode baton_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLcode baton_curl_get_pointer(CURL *handle, CURLINFO info, void **value) {
    return curl_easy_getinfo(handle, info, value);
}
/// `CURLMsg.data` is a union; this reads the only case libcurl defines.
static inline CURLcode baton_curl_message_result(const CURLMsg *message) { return message->data.result; }
