// A tiny addon without LibTorch. It opens LibTorch's libraries by their absolute path before the addon proper is loaded,
// whose own needs are then met by name: wherever a package manager put either of them, no run path has to lead from one
// to the other. It also knows whether the processor can run what they hold.
#define NAPI_VERSION 8
#include <node_api.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

enum { longest_path = 4096 };

static napi_value fail(napi_env env, const char* message) {
  napi_throw_error(env, NULL, message);
  return NULL;
}

#ifdef _WIN32
/// UTF-8 as Windows wants it. Its needs are looked for beside the library.
static napi_value open_path(napi_env env, const char* path) {
  wchar_t wide[longest_path];
  if (!MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, longest_path)) return fail(env, "the path is too long");
  if (LoadLibraryExW(wide, NULL, LOAD_WITH_ALTERED_SEARCH_PATH)) return NULL;
  char message[512] = "unknown error";
  FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, GetLastError(), 0, message,
                 sizeof message, NULL);
  return fail(env, message);
}
#else
/// Never closed: LibTorch's tables live until the process ends.
static napi_value open_path(napi_env env, const char* path) {
  if (dlopen(path, RTLD_NOW | RTLD_GLOBAL)) return NULL;
  const char* message = dlerror();
  return fail(env, message ? message : "unknown error");
}
#endif

/// open(path): the library at this path, and those it needs, for all that is loaded later. Throws the system's reason.
static napi_value open_library(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value argument;
  char path[longest_path];
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count < 1 ||
      napi_get_value_string_utf8(env, argument, path, sizeof path, &length) != napi_ok) {
    return fail(env, "open(path) takes a string");
  }
  if (length >= sizeof path - 1) return fail(env, "the path is too long");
  if (strlen(path) != length) return fail(env, "the path holds a null character");
  return open_path(env, path);
}

/// lacking(): what this processor lacks of what LibTorch is compiled for, as one name, or undefined.
static napi_value lacking(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value name = NULL;
#if (defined(__x86_64__) || defined(_M_X64)) && defined(__GNUC__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.2")) napi_create_string_utf8(env, "SSE4.2", NAPI_AUTO_LENGTH, &name);
#endif
  return name;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor properties[] = {
      {"open", NULL, open_library, NULL, NULL, NULL, napi_enumerable, NULL},
      {"lacking", NULL, lacking, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
  return exports;
}
